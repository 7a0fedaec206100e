using System.Net.WebSockets;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

public sealed class UpdateTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task An_update_serves_the_new_image_under_the_tag()
    {
        await PushAsync("old");
        StartAgent();
        var before = await WaitUntilServingAsync();
        await PushAsync("new");

        var update = await UpdateAsync();

        Assert.Equal("new", await ServedVersionAsync());
        var after = await WaitUntilServingAsync();
        Assert.NotEqual(before.App.Digest, after.App.Digest);
        Assert.EndsWith($"{after.App.Digest![..19]} serves now.", update.AssertSucceeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_without_a_newer_image_changes_nothing()
    {
        await PushAsync();
        StartAgent();
        var status = await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        Assert.EndsWith($"Nothing newer: {status.App.Digest![..19]} serves.", (await UpdateAsync()).AssertSucceeded(), StringComparison.Ordinal);

        Assert.Equal(started, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task A_new_version_of_the_secret_is_a_new_release()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var old = (await GetAsync("/key-sha256")).Body;
        Aws.Parameters.Put(Parameter, "sk-rotated-0123456789");

        (await UpdateAsync()).AssertSucceeded();

        var rotated = (await GetAsync("/key-sha256")).Body;
        Assert.NotEqual(old, rotated);
        Assert.Contains("version 2", (await WaitUntilServingAsync()).Secrets.Versions[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_update_without_a_registry_fails_with_the_reason_and_the_app_keeps_serving()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        Assert.StartsWith($"ragagent: the update failed. The registry {Aws.RegistryHost} can't be reached: ", update.Error, StringComparison.Ordinal);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.Equal("1", await ServedVersionAsync());
    }

    [Fact]
    public async Task An_automatic_update_waits_until_the_last_session_in_use_is_closed()
    {
        Config["update"] = new JsonObject { ["every"] = "10s", ["when"] = "idle" };
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync("old");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        using var session = new ClientWebSocket();
        session.Options.AddSubProtocol("streamlit");
        session.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{Port}");
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
        Assert.Equal("streamlit", session.SubProtocol);
        await WaitForAsync(s => s.App.Sessions == 1, "the session is counted");

        await PushFullAsync("new");
        await WaitForAsync(s => s.App.Newest == false && s.Image.Pull is null, "the newer image is known");
        await agent.WaitForLogAsync("waits until no session is in use (1 of 1 now), for 1d at most");
        Assert.Equal("old", await ServedVersionAsync());

        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);
        await WaitForAsync(s => s.App.State == "serving" && s.App.Newest == true, "the newer image serves");
        Assert.Equal("new", await ServedVersionAsync());
    }

    [Fact]
    public async Task A_session_that_can_not_be_read_holds_up_an_update_until_the_wait_is_over_even_if_the_agent_restarts()
    {
        Config["update"] = new JsonObject { ["every"] = "10s", ["idleAfter"] = "1s", ["waitAtMost"] = "1m", ["drain"] = "0s" };
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync("old");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        using var first = await OpenAsync();
        await PushFullAsync("new");
        var before = (await WaitForAsync(s => s.Rollout.Wait is not null, "the update waits")).Rollout.Wait!;

        await agent.StopAsync();
        agent = StartAgent();
        await WaitForAsync(s => s.App.State == "serving", "the agent is back");
        using var second = await OpenAsync();
        var after = (await WaitForAsync(s => s.Rollout.Wait is { Sessions: 1 }, "the update still waits")).Rollout.Wait!;
        Assert.Equal("old", await ServedVersionAsync());
        Assert.InRange(after.Since - before.Since, TimeSpan.FromSeconds(-0.2), TimeSpan.FromSeconds(0.2));

        await agent.WaitForLogAsync("has waited for 1m and takes over now, although 1 of 1 sessions are in use.");
        var updated = await WaitForAsync(s => s.App is { State: "serving", Newest: true }, "the newer image serves");
        Assert.Equal("new", await ServedVersionAsync());
        Assert.True(updated.App.Since >= after.Until, $"The update came at {updated.App.Since}, before {after.Until}.");

        async Task<ClientWebSocket> OpenAsync()
        {
            var session = new ClientWebSocket();
            await session.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
            await WaitForAsync(s => s.App is { Sessions: 1, SessionsInUse: 1 }, "the session is counted");
            return session;
        }
    }

    [Fact]
    public async Task An_update_ends_the_backoff_of_a_failing_app_at_once()
    {
        Config["restart"] = new JsonObject { ["firstDelay"] = "1h", ["maxDelay"] = "1h" };
        await PushAsync("bad", "latest", "--no-shell");   // it can't even be started
        StartAgent();
        await WaitForAsync(s => s.App.State == "backoff", "the app waits for its restart");
        await PushAsync("good");

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("good", await ServedVersionAsync());
    }
}
