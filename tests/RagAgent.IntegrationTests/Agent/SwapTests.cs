using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>How one container takes over from another, and what visitors notice of it.</summary>
public sealed class SwapTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int VisitorsAtOnce = 8;

    [Fact]
    public async Task With_a_volume_that_the_app_may_write_to_never_two_live()
    {
        ConfigureUpdate("auto", "1s");
        Config["container"]!["volumes"] = new JsonArray(new JsonObject { ["host"] = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName, ["container"] = "/data" });
        await PushAsync("1");
        StartAgent();
        await WaitUntilServingAsync();
        await using var history = await WatchContainersAsync();

        foreach (var version in new[] { "2", "3" })
        {
            await PushAsync(version);
            (await UpdateAsync()).AssertSucceeded();
            Assert.Equal(version, await ServedVersionAsync());
        }

        await WaitUntilAsync(async () => history.StartsOf((await WaitUntilServingAsync()).App.Digest!) == 1, "the engine has told of the last start");
        Assert.Equal(1, history.MaxAlive);
    }

    [Fact]
    public async Task Without_one_the_old_one_serves_until_the_new_one_has_passed_its_gate_which_then_has_the_configured_name()
    {
        ConfigureUpdate("auto", "1s");
        await PushAsync("old");
        StartAgent();
        var before = await WaitUntilServingAsync();
        await using var history = await WatchContainersAsync();
        await PushWithBehaviorAsync("new", ("FAKE_APP_START_AFTER", "4"));

        var update = UpdateAsync();
        var during = await WaitForAsync(s => s is { Rollout.Candidate: not null, App.State: "serving" }, "a candidate stands beside the one that serves");

        Assert.Equal(("candidate", before.App.Container), (during.Rollout.Phase, during.App.Container));
        Assert.Equal($"The app serves ({before.App.Digest![..19]}); a newer image is being tested next to it.", during.Headline);
        Assert.Equal("old", await ServedVersionAsync());
        Assert.StartsWith(during.Rollout.Candidate!, (await Docker.InspectAsync($"{Name}-next"))!["Id"]!.GetValue<string>(), StringComparison.Ordinal);
        (await update).AssertSucceeded();
        Assert.Equal("new", await ServedVersionAsync());
        await WaitUntilAsync(async () => await AgentContainersAsync() is [var left] && left.StartsWith(during.Rollout.Candidate!, StringComparison.Ordinal), "the old one is removed");
        await WaitUntilAsync(async () => await Docker.InspectAsync(Name) is not null, "the new one has the configured name");
        Assert.Equal(2, history.MaxAlive);
        Assert.Equal(during.Rollout.Candidate, (await WaitForAsync(s => s.Rollout.Phase == "settled", "it has proven itself")).App.Container);
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]   // keeps connections open between requests
    public async Task Under_load_a_start_first_swap_fails_not_a_single_request(string kind)
    {
        ConfigureUpdate("start-first", "1s");
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var visitors = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), VisitorsAtOnce);

        (await UpdateAsync()).AssertSucceeded();
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1, "the old one is removed");
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new one has proven itself");

        var visits = await visitors.EndAsync();
        TestContext.Current.SendDiagnosticMessage($"start-first, {kind}: {visits.Count} visits");
        Assert.Empty(visits.Where(v => v.Status != 200).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(visits, v => v.Body.Contains(">old<", StringComparison.Ordinal));
        Assert.Contains(visits, v => v.Body.Contains(">new<", StringComparison.Ordinal));
        // Who was there before may still get a late answer of the old one; who asks after somebody saw the new one sees that.
        var newIsSeen = visits.Where(v => v.Body.Contains(">new<", StringComparison.Ordinal)).Min(v => v.AnsweredAt);
        Assert.DoesNotContain(visits.Where(v => v.SentAt > newIsSeen), v => v.Body.Contains(">old<", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]
    public async Task Under_load_a_stop_first_swap_holds_visitors_and_fails_not_a_single_request(string kind)
    {
        ConfigureUpdate("stop-first", "1s");
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var history = await WatchContainersAsync();
        await using var visitors = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), VisitorsAtOnce);

        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new one has proven itself");

        var visits = await visitors.EndAsync();
        var longest = visits.Max(v => TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt));
        TestContext.Current.SendDiagnosticMessage($"stop-first, {kind}: {visits.Count} visits, the longest took {longest.TotalSeconds:0.00} s");
        Assert.Empty(visits.Where(v => v.Status != 200).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(visits, v => v.Body.Contains(">old<", StringComparison.Ordinal));
        Assert.Contains(visits, v => v.Body.Contains(">new<", StringComparison.Ordinal));
        Assert.Equal(1, history.MaxAlive);
        Assert.InRange(longest, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Under_load_a_restart_after_a_crash_is_waited_for()
    {
        await PushAsync("1");
        StartAgent();
        await WaitUntilServingAsync();
        await using var visitors = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), VisitorsAtOnce);
        await WaitUntilAsync(() => Task.FromResult(visitors.Requests.Count > 50), "visitors come and go");

        await Docker.DoAsync("kill", Name);
        await WaitForAsync(s => s is { App: { State: "serving", Crashes: 1 } }, "it serves again");
        var back = visitors.Requests.Count;
        await WaitUntilAsync(() => Task.FromResult(visitors.Requests.Count > back + 50), "visitors come and go");

        var visits = await visitors.EndAsync();
        var failed = visits.Where(v => v.Status != 200).ToArray();
        TestContext.Current.SendDiagnosticMessage($"crash: {visits.Count} visits, {failed.Length} asked to come back, the longest took {visits.Max(v => TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt)).TotalSeconds:0.00} s");
        // Who comes before anybody knows of the crash waits a second for that; on a slow machine it may take longer.
        Assert.Empty(failed.Where(v => !(v is { Status: 503, HasRetryAfter: true } && v.Body.Contains("\"unreachable\"", StringComparison.Ordinal))).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(visits, v => v.Status == 200 && TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt) > TimeSpan.FromMilliseconds(500));
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]
    public async Task Under_load_a_stop_first_swap_that_holds_nobody_asks_visitors_to_come_back_and_never_speaks_of_a_bad_gateway(string kind)
    {
        ConfigureUpdate("stop-first", "1s");
        Config["update"]!["hold"] = "0s";
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var visitors = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), VisitorsAtOnce);

        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new one has proven itself");

        var visits = await visitors.EndAsync();
        TestContext.Current.SendDiagnosticMessage($"stop-first, {kind}: {visits.Count} visits, {visits.Count(v => v.Status == 503)} asked to come back");
        Assert.Empty(visits.Where(v => v.Status != 200 && v is not { Status: 503, HasRetryAfter: true }).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(visits, v => v.Status == 503);
        Assert.Contains(visits, v => v.Body.Contains(">new<", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_at_a_swap_that_was_asked_for_is_waited_for_then_cut_and_comes_back_to_the_new_one()
    {
        await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        var old = (await AgentContainersAsync()).Single();
        await PushFullAsync("new");

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        Assert.Equal("swap", (await WaitForAsync(s => s.Rollout.Candidate is not null, "the old one is drained")).Rollout.Phase);
        Assert.Equal("still here", await EchoAsync(session, "still here"));
        await WaitUntilCutAsync(session);
        await WaitUntilAsync(async () => !(await AgentContainersAsync()).Contains(old), "the old one is removed");
        using var again = await OpenSessionAsync();
        Assert.Equal("back", await EchoAsync(again, "back"));
        Assert.Single(await AgentContainersAsync());
    }

    [Fact]
    public async Task A_session_that_ends_lets_the_old_one_go_at_once()
    {
        await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        await PushFullAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal(2, (await AgentContainersAsync()).Length);

        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);

        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1, "the old one is removed");
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task An_agent_that_is_killed_while_the_old_one_is_drained_leaves_the_rest_to_the_next_one()
    {
        var agent = await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        await PushFullAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal(2, (await AgentContainersAsync()).Length);

        await agent.StopAsync("KILL");
        StartAgent();

        await WaitForAsync(s => s.App is { State: "serving", Newest: true }, "the new one serves");
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1 && await Docker.InspectAsync(Name) is not null, "one is left, with the configured name");
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task Old_images_go_when_the_new_one_has_proven_itself_but_never_the_one_that_serves_or_the_last_good_one()
    {
        ConfigureUpdate("auto", "1s");
        var digests = new List<string>();
        foreach (var version in new[] { "1", "2", "3", "4" })
        {
            await PushAsync(version);
            if (digests.Count == 0)
            {
                StartAgent();
            }
            else
            {
                (await UpdateAsync()).AssertSucceeded();
            }
            digests.Add((await WaitForAsync(s => s is { App: { State: "serving", Newest: true }, Rollout.Phase: "settled" }, $"{version} has proven itself")).App.Digest!);
            await WaitUntilAsync(async () => (await OnDiskAsync()).Count <= 2, "what is older than the last good one goes");
            Assert.Equal(digests.TakeLast(2).ToHashSet(), await OnDiskAsync());
        }
        Assert.Equal("4", await ServedVersionAsync());
    }

    private async Task<HashSet<string>> OnDiskAsync() =>
        [.. PrivateEngine.Lines(await Docker.DoAsync("images", "--digests", "--format", "{{.Digest}}", Repository))];

    private Task PushKindAsync(string kind, string version) => kind == "full" ? PushFullAsync(version) : PushAsync(version);

    private async Task<AgentProcess> ServeFullAsync(string version)
    {
        ConfigureUpdate("start-first", "1s");
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync(version);
        var agent = StartAgent();
        await WaitForAsync(s => s is { App.State: "serving", Rollout.Phase: "settled" }, "the first one has proven itself");
        return agent;
    }

    private async Task<ClientWebSocket> OpenSessionAsync()
    {
        var session = new ClientWebSocket();
        session.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{Port}");
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
        return session;
    }

    private static async Task<string> EchoAsync(ClientWebSocket session, string text)
    {
        await session.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, TestCancellation);
        var buffer = new byte[256];
        var received = await session.ReceiveAsync(buffer, TestCancellation);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static async Task WaitUntilCutAsync(ClientWebSocket session)
    {
        try
        {
            Assert.Equal(WebSocketMessageType.Close, (await session.ReceiveAsync(new byte[256], TestCancellation)).MessageType);
        }
        catch (WebSocketException)
        {
            return;   // the connection just ended
        }
    }
}
