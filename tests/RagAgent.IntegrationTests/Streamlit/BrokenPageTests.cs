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

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
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

        Assert.Equal(1, (await UpdateAsync()).ExitCode);

        var status = await WaitForAsync(s => s.App.State == "serving" && s.App.Digest == good.App.Digest, "the image before it serves again");
        Assert.Equal("app-session-failed", status.Rollout.SetAside!.Why.Code);
        Assert.All(await clients.EndAsync(), request => Assert.Equal(200, request.Status));
    }

    [Fact]
    public async Task An_exception_is_given_three_sessions_before_the_push_is_refused()
    {
        var good = await ServeGoodPageAsync(StreamlitInstallation.WithUvicorn, swap: "start-first");
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_key");

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        Assert.Contains("KeyError: 'APP_KEY_THAT_IS_NOT_SET'", update.Error, StringComparison.Ordinal);
        Assert.Equal(good.App.Digest, (await WaitUntilServingAsync()).App.Digest);
    }

    [Fact]
    public async Task A_first_image_whose_page_fails_is_reported_and_the_next_push_replaces_it_at_once()
    {
        ConfigureStreamlit();
        Config["page"] = new JsonObject { ["details"] = "full" };
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_package");
        var agent = StartAgent();

        var problem = await WaitForProblemAsync("app-session-failed");

        Assert.Contains(MissingModule, problem.What, StringComparison.Ordinal);
        var (code, body) = await GetAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Contains("ModuleNotFoundError", body, StringComparison.Ordinal);
        await agent.WaitForLogAsync(MissingModule);

        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "good/plain");
        Assert.Equal(0, (await UpdateAsync()).ExitCode);
        Assert.Equal("works", (await WaitUntilServingAsync()).App.Session);
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
