using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>How one container takes over from another, and what clients notice.</summary>
public sealed class SwapTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int ConcurrentClients = 8;

    [Fact]
    public async Task With_a_writable_volume_two_containers_never_run_at_once()
    {
        ConfigureUpdate("auto", "1s");
        Config["container"]!["volumes"] = new JsonArray(
            new JsonObject { ["host"] = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName, ["container"] = "/data" });
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

        await WaitUntilAsync(
            async () => history.StartsOf((await WaitUntilServingAsync()).App.Digest!) == 1, "the engine has reported the last start");
        Assert.Equal(1, history.MaxAlive);
    }

    [Fact]
    public async Task Without_a_writable_volume_the_old_container_serves_until_the_candidate_passes_its_gate()
    {
        ConfigureUpdate("auto", "1s");
        await PushAsync("old");
        StartAgent();
        var before = await WaitUntilServingAsync();
        await using var history = await WatchContainersAsync();
        await PushWithBehaviorAsync("new", ("FAKE_APP_START_AFTER", "4"));

        var update = UpdateAsync();
        var during = await WaitForAsync(s => s is { Rollout.Candidate: not null, App.State: "serving" }, "a candidate runs next to the serving container");

        Assert.Equal(("candidate", before.App.Container), (during.Rollout.Phase, during.App.Container));
        Assert.Equal($"The app serves ({before.App.Digest![..19]}); a newer image is being tested next to it.", during.Headline);
        Assert.Equal("old", await ServedVersionAsync());
        Assert.StartsWith(
            during.Rollout.Candidate!, (await Docker.InspectAsync($"{Name}-next"))!["Id"]!.GetValue<string>(), StringComparison.Ordinal);
        (await update).AssertSucceeded();
        Assert.Equal("new", await ServedVersionAsync());
        await WaitUntilAsync(
            async () => await AgentContainersAsync() is [var left] && left.StartsWith(during.Rollout.Candidate!, StringComparison.Ordinal),
            "the old container is removed");
        await WaitUntilAsync(async () => await Docker.InspectAsync(Name) is not null, "the new container has the configured name");
        Assert.Equal(2, history.MaxAlive);
        Assert.Equal(during.Rollout.Candidate, (await WaitForAsync(s => s.Rollout.Phase == "settled", "the watch is over")).App.Container);
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]   // keeps connections open between requests
    public async Task A_start_first_swap_under_load_fails_no_request(string kind)
    {
        ConfigureUpdate("start-first", "1s");
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var clients = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), ConcurrentClients);

        (await UpdateAsync()).AssertSucceeded();
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1, "the old container is removed");
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new image has passed its watch");

        var requests = await clients.EndAsync();
        TestContext.Current.SendDiagnosticMessage($"start-first, {kind}: {requests.Count} requests");
        Assert.Empty(requests.Where(v => v.Status != 200).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(requests, v => v.Body.Contains(">old<", StringComparison.Ordinal));
        Assert.Contains(requests, v => v.Body.Contains(">new<", StringComparison.Ordinal));
        // A request in flight may still get a late answer of the old container. A request sent after the new one was seen may not.
        var newIsSeen = requests.Where(v => v.Body.Contains(">new<", StringComparison.Ordinal)).Min(v => v.AnsweredAt);
        Assert.DoesNotContain(requests.Where(v => v.SentAt > newIsSeen), v => v.Body.Contains(">old<", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]
    public async Task A_stop_first_swap_under_load_holds_requests_and_fails_none(string kind)
    {
        ConfigureUpdate("stop-first", "1s");
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var history = await WatchContainersAsync();
        await using var clients = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), ConcurrentClients);

        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new image has passed its watch");

        var requests = await clients.EndAsync();
        var longest = requests.Max(v => TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt));
        TestContext.Current.SendDiagnosticMessage($"stop-first, {kind}: {requests.Count} requests, the longest took {longest.TotalSeconds:0.00} s");
        Assert.Empty(requests.Where(v => v.Status != 200).Select(v => $"{v.Status} {v.Body}").Distinct());
        Assert.Contains(requests, v => v.Body.Contains(">old<", StringComparison.Ordinal));
        Assert.Contains(requests, v => v.Body.Contains(">new<", StringComparison.Ordinal));
        Assert.Equal(1, history.MaxAlive);
        Assert.InRange(longest, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Requests_under_load_wait_for_a_restart_after_a_crash()
    {
        await PushAsync("1");
        StartAgent();
        await WaitUntilServingAsync();
        await using var clients = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), ConcurrentClients);
        await WaitUntilAsync(() => Task.FromResult(clients.Requests.Count > 50), "clients send requests");

        await Docker.RunCheckedAsync("kill", Name);
        await WaitForAsync(s => s is { App: { State: "serving", Crashes: 1 } }, "the app serves again");
        var back = clients.Requests.Count;
        await WaitUntilAsync(() => Task.FromResult(clients.Requests.Count > back + 50), "clients send requests");

        var requests = await clients.EndAsync();
        var failed = requests.Where(v => v.Status != 200).ToArray();
        var longest = requests.Max(v => TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt));
        TestContext.Current.SendDiagnosticMessage(
            $"crash: {requests.Count} requests, {failed.Length} asked to come back, the longest took {longest.TotalSeconds:0.00} s");
        // A request that meets the crash before the agent does waits one second. On a slow machine that may not be enough.
        Assert.All(failed, request =>
        {
            Assert.Equal((503, true), (request.Status, request.HasRetryAfter));
            Assert.Contains("\"unreachable\"", request.Body, StringComparison.Ordinal);
        });
        Assert.Contains(
            requests, v => v.Status == 200 && TimeProvider.System.GetElapsedTime(v.SentAt, v.AnsweredAt) > TimeSpan.FromMilliseconds(500));
    }

    [Theory]
    [InlineData("light")]
    [InlineData("full")]
    public async Task A_stop_first_swap_without_holding_answers_503_with_Retry_After_and_never_502(string kind)
    {
        ConfigureUpdate("stop-first", "1s");
        Config["update"]!["hold"] = "0s";
        await PushKindAsync(kind, "old");
        StartAgent();
        await WaitUntilServingAsync();
        await PushKindAsync(kind, "new");
        await using var clients = new ClientLoad(new Uri($"http://127.0.0.1:{Port}/"), ConcurrentClients);

        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new image has passed its watch");

        var requests = await clients.EndAsync();
        TestContext.Current.SendDiagnosticMessage($"stop-first, {kind}: {requests.Count} requests, {requests.Count(v => v.Status == 503)} asked to come back");
        Assert.Empty(requests
            .Where(v => v.Status != 200 && v is not { Status: 503, HasRetryAfter: true })
            .Select(v => $"{v.Status} {v.Body}")
            .Distinct());
        Assert.Contains(requests, v => v.Status == 503);
        Assert.Contains(requests, v => v.Body.Contains(">new<", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_is_drained_during_a_swap_then_cut_and_reconnects_to_the_new_container()
    {
        await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        var old = (await AgentContainersAsync()).Single();
        await PushFullAsync("new");

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        Assert.Equal(
            "swap", (await WaitForAsync(s => s.Rollout.Candidate is not null, "the old container is being drained")).Rollout.Phase);
        Assert.Equal("still here", await EchoAsync(session, "still here"));
        await WaitUntilCutAsync(session);
        await WaitUntilAsync(async () => !(await AgentContainersAsync()).Contains(old), "the old container is removed");
        using var again = await OpenSessionAsync();
        Assert.Equal("back", await EchoAsync(again, "back"));
        Assert.Single(await AgentContainersAsync());
    }

    [Fact]
    public async Task The_old_container_is_removed_as_soon_as_its_last_session_ends()
    {
        await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        await PushFullAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal(2, (await AgentContainersAsync()).Length);

        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);

        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1, "the old container is removed");
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task A_new_agent_finishes_the_swap_of_an_agent_killed_while_draining()
    {
        var agent = await ServeFullAsync("old");
        using var session = await OpenSessionAsync();
        await PushFullAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal(2, (await AgentContainersAsync()).Length);

        await agent.StopAsync("KILL");
        StartAgent();

        await WaitForAsync(s => s.App is { State: "serving", Newest: true }, "the new image serves");
        await WaitUntilAsync(
            async () => (await AgentContainersAsync()).Length == 1 && await Docker.InspectAsync(Name) is not null,
            "one container is left, with the configured name");
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task Image_cleanup_keeps_only_the_serving_and_the_last_known_good_image()
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
            digests.Add((await WaitForAsync(
                s => s is { App: { State: "serving", Newest: true }, Rollout.Phase: "settled" },
                $"{version} has passed its watch")).App.Digest!);
            await WaitUntilAsync(async () => (await ImagesOnDiskAsync()).Count <= 2, "images older than the last known good one are removed");
            Assert.Equal(digests.TakeLast(2).ToHashSet(), await ImagesOnDiskAsync());
        }
        Assert.Equal("4", await ServedVersionAsync());
    }

    private async Task<HashSet<string>> ImagesOnDiskAsync() =>
        [.. PrivateEngine.Lines(await Docker.RunCheckedAsync("images", "--digests", "--format", "{{.Digest}}", Repository))];

    private Task PushKindAsync(string kind, string version) => kind == "full" ? PushFullAsync(version) : PushAsync(version);

    private async Task<AgentProcess> ServeFullAsync(string version)
    {
        ConfigureUpdate("start-first", "1s");
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync(version);
        var agent = StartAgent();
        await WaitForAsync(s => s is { App.State: "serving", Rollout.Phase: "settled" }, "the first image has passed its watch");
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
            return;   // the connection ended without a close message
        }
    }
}
