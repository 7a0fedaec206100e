using System.Net;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>Real Streamlit answers its health check although its page fails. The agent opens the page first.</summary>
public sealed class BrokenPageTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private const string MissingModule = "ModuleNotFoundError: No module named 'a_package_that_is_not_installed'";

    private Uri Address => new($"http://127.0.0.1:{Port}/");

    [Theory]
    [InlineData(StreamlitInstallation.WithUvicorn)]
    [InlineData(StreamlitInstallation.WithTornado)]
    public async Task A_push_whose_page_fails_is_refused_while_the_image_before_it_serves(string version)
    {
        var good = await ServeGoodPageAsync(version, swap: "start-first");
        await PushStreamlitAsync(version, "broken/missing_package");
        await using var clients = new ClientLoad(Address, 2);

        var update = await RefusedUpdateAsync(exceptions: 1);

        Assert.Contains(MissingModule, update.Error, StringComparison.Ordinal);
        var status = await WaitForAsync(s => s.Rollout is { SetAside: not null, Candidate: null }, "the push is set aside");
        Assert.Equal(("serving", good.App.Digest), (status.App.State, status.App.Digest));
        Assert.Equal("app-session-failed", status.Rollout.SetAside!.Why.Code);
        Assert.Contains(MissingModule, status.Rollout.SetAside.Why.What, StringComparison.Ordinal);
        Assert.Contains(MissingModule, (await RequestAsync("status")).Output, StringComparison.Ordinal);
        Assert.All(await clients.EndAsync(), request => Assert.Equal(200, request.Status));
    }

    [Fact]
    public async Task In_a_stop_first_update_visitors_wait_and_none_is_turned_away()
    {
        var good = await ServeGoodPageAsync(StreamlitInstallation.WithUvicorn, swap: "stop-first");
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_package");
        await using var clients = new ClientLoad(Address, 2);

        await RefusedUpdateAsync(exceptions: 1);

        var status = await WaitForAsync(s => s.App.State == "serving" && s.App.Digest == good.App.Digest, "the image before it serves again");
        Assert.Equal("app-session-failed", status.Rollout.SetAside!.Why.Code);
        await AssertAllServedAsync(clients);
    }

    [Fact]
    public async Task An_update_of_an_app_with_a_writable_volume_holds_visitors_for_a_restart_and_one_session()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "chroma_db")).FullName;
        Config["container"]!["volumes"] = new JsonArray(new JsonObject { ["host"] = folder, ["container"] = "/app/data/chroma_db" });
        await ServeGoodPageAsync(StreamlitInstallation.WithUvicorn, swap: "auto");
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "good/imports_first");
        await using var history = await WatchContainersAsync();
        await using var clients = new ClientLoad(Address, 2);

        (await UpdateAsync()).AssertSucceeded();

        await AssertAllServedAsync(clients);
        Assert.Equal(1, history.MaxAlive);   // there are never two writers
    }

    [Fact]
    public async Task An_exception_is_given_three_sessions_before_the_push_is_refused()
    {
        var good = await ServeGoodPageAsync(StreamlitInstallation.WithUvicorn, swap: "start-first");
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_key");

        var update = await RefusedUpdateAsync(exceptions: 3);

        Assert.Contains("KeyError: 'APP_KEY_THAT_IS_NOT_SET'", update.Error, StringComparison.Ordinal);
        Assert.Equal(good.App.Digest, (await WaitUntilServingAsync()).App.Digest);
    }

    [Fact]
    public async Task A_first_image_whose_page_fails_is_reported_and_the_next_push_replaces_it_at_once()
    {
        ConfigureStreamlit();
        Config["page"] = new JsonObject { ["details"] = "full" };
        Config["update"] = new JsonObject { ["every"] = "1h" };
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_package");
        var agent = StartAgent();

        var problem = await WaitForProblemAsync("app-session-failed");

        Assert.Contains(MissingModule, problem.What, StringComparison.Ordinal);
        var (code, body) = await GetAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Contains("ModuleNotFoundError", body, StringComparison.Ordinal);
        await agent.WaitForLogAsync(MissingModule);

        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "good/plain");
        var pushedAt = TimeProvider.System.GetTimestamp();
        Assert.Equal("works", (await WaitUntilServingAsync()).App.Session);
        Report("serves", pushedAt, "after the push");
    }

    [Fact]
    public async Task A_last_good_image_serves_although_its_page_fails_and_visitors_errors_are_counted()
    {
        ConfigureApp(("APP_KEY_THAT_IS_NOT_SET", "set"));
        await ServeAsync(StreamlitInstallation.WithUvicorn, "broken/missing_key", swap: "stop-first");
        var agents = await AgentContainersAsync();
        Config.Remove("environment");
        WriteConfig();

        await ReloadAsync(Agent);
        var status = await WaitForAsync(
            s => s.App.State == "serving" && s.App.Container is { } id && !agents.Any(old => old.StartsWith(id, StringComparison.Ordinal)),
            "the image serves without its key");

        Assert.Equal("failed", status.App.Session);
        Assert.Contains(status.Problems, problem => problem.Code == "app-session-failed");
        Assert.Null(status.Rollout.SetAside);
        Assert.Null(status.App.Exceptions);
        await using var session = await StreamlitSession.OpenAsync(Address, TestCancellation);
        await session.RunAsync(TestCancellation);
        status = await WaitForAsync(s => s.App.Exceptions is { Count: 1, Last: not null }, "the visitor's exception is counted");
        Assert.Equal("KeyError: 'APP_KEY_THAT_IS_NOT_SET'", status.App.Exceptions!.Last);
    }

    private AgentProcess Agent { get; set; } = null!;

    /// <summary>Requests an update that is refused within 5 seconds of this exception of the page.</summary>
    private async Task<ProcessResult> RefusedUpdateAsync(int exceptions)
    {
        var running = UpdateAsync();
        await WaitUntilAsync(() => Task.FromResult(Agent.Log.Split("Uncaught app execution").Length > exceptions), "the page fails");
        var failedAt = TimeProvider.System.GetTimestamp();
        var update = await running;
        Assert.Equal(1, update.ExitCode);
        Assert.InRange(Report("refused", failedAt, "after the exception"), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        return update;
    }

    private static async Task AssertAllServedAsync(ClientLoad clients)
    {
        var requests = await clients.EndAsync();
        Assert.All(requests, request => Assert.Equal(200, request.Status));
        var longest = requests.Max(request => TimeProvider.System.GetElapsedTime(request.SentAt, request.AnsweredAt));
        TestContext.Current.TestOutputHelper?.WriteLine($"{requests.Count} requests, the longest took {longest.TotalSeconds:F1} s");
    }

    private static TimeSpan Report(string what, long since, string after)
    {
        var elapsed = TimeProvider.System.GetElapsedTime(since);
        TestContext.Current.TestOutputHelper?.WriteLine($"{what} {elapsed.TotalSeconds:F1} s {after}");
        return elapsed;
    }

    private Task<StatusDocument> ServeGoodPageAsync(string version, string swap) => ServeAsync(version, "good/plain", swap);

    private async Task<StatusDocument> ServeAsync(string version, string app, string swap)
    {
        ConfigureStreamlit();
        ConfigureUpdate(swap, watch: "1s");
        await PushStreamlitAsync(version, app);
        Agent = StartAgent();
        var status = await WaitForAsync(s => s.App.State == "serving" && s.Rollout.Phase == "settled", "the first image has passed its watch");
        Assert.Equal("works", status.App.Session);
        return status;
    }
}
