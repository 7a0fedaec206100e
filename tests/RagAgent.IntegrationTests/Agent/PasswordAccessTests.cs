using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An app behind a password whose hash is in Parameter Store.</summary>
public sealed class PasswordAccessTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string HashParameter = "/ragstream/PASSWORD_HASH";
    private const string Password = "open sesame: please";

    [Fact]
    public async Task A_password_and_its_cookie_open_the_app_until_the_hash_changes()
    {
        Aws.Parameters.Put(HashParameter, await HashAsync(Password));
        Config["access"] = new JsonObject { ["password"] = HashParameter };
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await GetWithPasswordAsync(null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetWithPasswordAsync("wrong")).Status);
        var (status, cookie) = await GetWithPasswordAsync(Password);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(WebSocketState.Open, await OpenSessionAsync(cookie));
        await Assert.ThrowsAsync<WebSocketException>(() => OpenSessionAsync(null));

        Aws.Parameters.Put(HashParameter, await HashAsync("another password"));
        (await UpdateAsync()).AssertSucceeded();
        await WaitUntilAnsweredAsync(HttpStatusCode.OK, "another password");
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetWithPasswordAsync(Password)).Status);
        await Assert.ThrowsAsync<WebSocketException>(() => OpenSessionAsync(cookie));
        Assert.DoesNotContain("pbkdf2", agent.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, agent.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_guessing_is_rate_limited_and_a_logged_in_client_keeps_access()
    {
        Aws.Parameters.Put(HashParameter, await HashAsync(Password));
        Config["access"] = new JsonObject { ["password"] = HashParameter };
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        Assert.Equal(HttpStatusCode.OK, (await GetWithPasswordAsync(Password)).Status);

        var guesses = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => GetWithPasswordAsync($"guess {i}")));

        Assert.Equal(
            (5, 7),
            (guesses.Count(g => g.Status == HttpStatusCode.Unauthorized), guesses.Count(g => g.Status == HttpStatusCode.TooManyRequests)));
        Assert.Equal(HttpStatusCode.OK, (await GetWithPasswordAsync(Password)).Status);
    }

    [Fact]
    public async Task An_unreadable_password_hash_blocks_clients_and_a_known_hash_outlives_its_source()
    {
        Config["access"] = new JsonObject { ["password"] = HashParameter };
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("access-closed");
        Assert.Contains($"the parameter {HashParameter} does not exist", problem.What, StringComparison.Ordinal);
        var status = await WaitForAsync(s => s.App.State == "serving", "the app serves");
        Assert.Matches("^The app serves .*, but clients can't reach it. Passwords can't be checked", status.Headline);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetWithPasswordAsync(Password)).Status);
        Aws.Parameters.Put(HashParameter, "no hash");
        var update = await UpdateAsync();
        Assert.Equal(1, update.ExitCode);
        Assert.Contains("is not a hash made by 'ragagent password'", update.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory)).ExitCode);

        Aws.Parameters.Put(HashParameter, await HashAsync(Password));
        await WaitForAsync(s => s.Problems.Count == 0, "the hash is read automatically");
        Assert.Equal(HttpStatusCode.OK, (await GetWithPasswordAsync(Password)).Status);
        Assert.Equal(0, (await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory)).ExitCode);

        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("AccessDeniedException"));
        await UpdateAsync();
        await WaitForProblemAsync("access-stale");
        Assert.Equal(HttpStatusCode.OK, (await GetWithPasswordAsync(Password)).Status);
    }

    [Fact]
    public async Task Clients_from_an_allowed_network_need_no_password_and_others_are_rejected()
    {
        Config["access"] = new JsonObject { ["networks"] = new JsonArray("127.0.0.0/8") };
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        Assert.Equal(HttpStatusCode.OK, (await GetWithPasswordAsync(null)).Status);

        Config["access"] = new JsonObject { ["networks"] = new JsonArray("192.0.2.0/24") };
        WriteConfig();
        await ReloadAsync(agent);

        await WaitUntilAnsweredAsync(HttpStatusCode.Forbidden, null);
    }

    [Fact]
    public async Task The_doctor_reports_who_can_reach_the_app()
    {
        await PushAsync();
        Assert.Equal(("ok", 0), await AccessAsync());
        Aws.Instance = Aws.Instance with { PublicIpv4 = "203.0.113.7" };
        Assert.Equal(("note", 0), await AccessAsync());
        Config["access"] = new JsonObject { ["password"] = HashParameter };
        Assert.Equal(("failed", 1), await AccessAsync());
        Aws.Parameters.Put(HashParameter, "hunter2");
        Assert.Equal(("failed", 1), await AccessAsync());
        Aws.Parameters.Put(HashParameter, await HashAsync(Password));
        Assert.Equal(("warning", 2), await AccessAsync());
        Config["access"] = new JsonObject { ["networks"] = new JsonArray("192.0.2.0/24") };
        Assert.Equal(("ok", 0), await AccessAsync());
    }

    private async Task<(string Finding, int ExitCode)> AccessAsync()
    {
        WriteConfig();
        var output = await RunCommandAsync(
            "doctor", "--json", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);
        Assert.DoesNotContain("hunter2", output.Output, StringComparison.Ordinal);
        return (
            JsonNode.Parse(output.Output)!["checks"]!
                .AsArray()
                .Single(check => (string)check!["name"]! == "access")!["finding"]!
                .GetValue<string>(),
            output.ExitCode);
    }

    private async Task<(HttpStatusCode Status, string? Cookie)> GetWithPasswordAsync(string? password)
    {
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{Port}/"));
        if (password is not null)
        {
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{password}")));
        }
        using var response = await browser.SendAsync(request, TestCancellation);
        var cookie = response.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? cookies.First(cookie => cookie.StartsWith("ragagent_access=", StringComparison.Ordinal)).Split(';')[0]
            : null;
        return (response.StatusCode, cookie);
    }

    private async Task<WebSocketState> OpenSessionAsync(string? cookie)
    {
        using var session = new ClientWebSocket();
        session.Options.Proxy = null;
        session.Options.AddSubProtocol("streamlit");
        if (cookie is not null)
        {
            session.Options.SetRequestHeader("Cookie", cookie);
        }
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
        return session.State;
    }

    private async Task WaitUntilAnsweredAsync(HttpStatusCode status, string? password) => await WaitUntilAsync(
        async () =>
        {
            try
            {
                return (await GetWithPasswordAsync(password)).Status == status;
            }
            catch (HttpRequestException)
            {
                return false;   // the front door is being reopened
            }
        },
        $"a client gets {status}");
}
