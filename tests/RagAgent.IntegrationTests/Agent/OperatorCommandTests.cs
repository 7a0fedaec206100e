using System.Net;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The operator's commands rollback, unquarantine, stop and start, with their output and exit codes.</summary>
public sealed class OperatorCommandTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task A_rollback_serves_the_previous_image_until_the_tag_moves()
    {
        var (old, newer) = await ServeTwoGoodVersionsAsync();

        var rollback = await RequestAsync("rollback");

        Assert.EndsWith($"{old[..19]} serves now. The newest image is set aside until the tag moves.", rollback.AssertSucceeded(), StringComparison.Ordinal);
        Assert.Equal("old", await ServedVersionAsync());
        var status = await WaitForAsync(s => s.Rollout.SetAside?.Verdict == "quarantined", "the newest image is quarantined");
        Assert.Equal((newer, "image-rolled-back"), (status.Rollout.SetAside!.Digest, status.Rollout.SetAside.Why.Code));
        Assert.Equal($"The app serves ({old[..19]}). The newest image {newer[..19]} is quarantined: An operator rolled it back.", status.Headline);
        Assert.Contains($"set aside {newer[..19]}, quarantined: An operator rolled it back.", (await RequestAsync("status")).AssertSucceeded(), StringComparison.Ordinal);

        var update = await UpdateAsync();
        Assert.Equal(1, update.ExitCode);
        Assert.Equal($"ragagent: the update failed. The newest image {newer[..19]} is quarantined, and the last good one runs instead: An operator rolled it back. " +
            "Push a fixed image, or try this one again with 'ragagent unquarantine'.", update.Error.Trim());
        Assert.Equal("old", await ServedVersionAsync());

        await PushAsync("newest");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal("newest", await ServedVersionAsync());
    }

    [Fact]
    public async Task A_second_rollback_is_refused_with_the_reason()
    {
        await ServeTwoGoodVersionsAsync();
        (await RequestAsync("rollback")).AssertSucceeded();

        var again = await RequestAsync("rollback");

        Assert.Equal(1, again.ExitCode);
        Assert.StartsWith("ragagent: the rollback failed. The newest image ", again.Error, StringComparison.Ordinal);
        Assert.Equal("old", await ServedVersionAsync());
    }

    [Fact]
    public async Task Unquarantine_gives_a_quarantined_image_another_chance()
    {
        var (_, newer) = await ServeTwoGoodVersionsAsync();
        (await RequestAsync("rollback")).AssertSucceeded();

        Assert.EndsWith($"{newer[..19]} serves now.", (await RequestAsync("unquarantine")).AssertSucceeded(), StringComparison.Ordinal);

        Assert.Equal("new", await ServedVersionAsync());
        Assert.Null((await WaitForAsync(s => s.Rollout.Phase == "settled", "the watch is over")).Rollout.SetAside);
    }

    [Fact]
    public async Task Rollback_and_unquarantine_without_a_target_are_refused_at_once()
    {
        await ServeOneAsync();

        var rollback = await RequestAsync("rollback");
        var unquarantine = await RequestAsync("unquarantine");

        Assert.Equal(
            (1, "ragagent: the rollback failed. No other image is known to be good, so there is nothing to roll back to. " +
                "Push the version you want under the tag again."),
            (rollback.ExitCode, rollback.Error.Trim()));
        Assert.Equal((1, "ragagent: the unquarantine failed. No image is quarantined. There is nothing to do; 'ragagent status' shows what serves."),
            (unquarantine.ExitCode, unquarantine.Error.Trim()));
        Assert.Equal("1", await ServedVersionAsync());
    }

    [Fact]
    public async Task Ragagent_stop_holds_through_updates_and_agent_restarts_until_start()
    {
        var agent = await ServeOneAsync();

        Assert.EndsWith("The app is stopped until 'ragagent start' or the next boot.", (await RequestAsync("stop")).AssertSucceeded(), StringComparison.Ordinal);

        await AssertEveryoneSeesStoppedAsync("The app was stopped with 'ragagent stop'. Start it with 'ragagent start'.");
        Assert.Empty(await AgentContainersAsync());
        foreach (var refused in new[] { "update", "rollback", "unquarantine" })
        {
            var response = await RequestAsync(refused);
            Assert.Equal(
                (1, $"ragagent: the {refused} failed. The app is stopped, by 'ragagent stop'. Start it with 'ragagent start'."),
                (response.ExitCode, response.Error.Trim()));
        }

        await agent.StopAsync("KILL");
        await using var history = await WatchContainersAsync();
        StartAgent();
        await WaitForAsync(
            s => s is { App: { State: "stopped", StoppedBy: "operator" }, Image.Digest: not null, Secrets.ReadAt: not null },
            "image and secrets are known, and the app stays stopped");
        await AssertEveryoneSeesStoppedAsync("The app was stopped with 'ragagent stop'. Start it with 'ragagent start'.");

        var start = await RequestAsync("start");
        var status = await WaitUntilServingAsync();
        Assert.EndsWith($"{status.App.Digest![..19]} serves.", start.AssertSucceeded(), StringComparison.Ordinal);
        Assert.Null(status.App.StoppedBy);
        Assert.Equal("1", await ServedVersionAsync());
        Assert.Equal(1, history.StartsOf(status.App.Digest));
    }

    [Fact]
    public async Task Docker_stop_holds_like_ragagent_stop()
    {
        var agent = await ServeOneAsync();

        await Docker.RunCheckedAsync("stop", Name);

        await WaitForAsync(s => s.App is { State: "stopped", StoppedBy: "hand" }, "the app stays stopped");
        await AssertEveryoneSeesStoppedAsync("The app was stopped with 'docker stop'. Start it with 'ragagent start'.");
        var update = await UpdateAsync();
        Assert.Equal((1, "ragagent: the update failed. The app is stopped, by 'docker stop'. Start it with 'ragagent start'."), (update.ExitCode, update.Error.Trim()));

        await agent.StopAsync("KILL");
        StartAgent();
        await WaitForAsync(s => s is { App: { State: "stopped", StoppedBy: "hand" }, Image.Digest: not null }, "the app stays stopped");
        (await RequestAsync("start")).AssertSucceeded();
        Assert.Equal("1", await ServedVersionAsync());
    }

    [Fact]
    public async Task Stopping_a_stopped_app_and_starting_a_running_app_succeed()
    {
        await ServeOneAsync();
        var started = await Docker.StartedAtAsync(Name);

        (await RequestAsync("start")).AssertSucceeded();
        Assert.Equal(started, await Docker.StartedAtAsync(Name));

        (await RequestAsync("stop")).AssertSucceeded();
        (await RequestAsync("stop")).AssertSucceeded();
        Assert.Empty(await AgentContainersAsync());
    }

    [Fact]
    public async Task Status_shows_the_watch_and_the_last_known_good_image()
    {
        ConfigureUpdate("auto", "1h");
        await PushAsync("old");
        StartAgent();
        var old = (await WaitUntilServingAsync()).App.Digest!;
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();

        var status = await WaitForAsync(s => s.Rollout.Phase == "watch", "the new image is watched");

        Assert.Equal([old], status.Rollout.LastGood);
        Assert.Equal(status.App.Since + TimeSpan.FromHours(1), status.Rollout.WatchUntil);
        var text = (await RequestAsync("status")).AssertSucceeded();
        Assert.Contains("rollout   watch, good from ", text, StringComparison.Ordinal);
        Assert.Contains($"last good {old[..19]}\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("set aside", text, StringComparison.Ordinal);
    }

    private async Task AssertEveryoneSeesStoppedAsync(string sentence)
    {
        var status = await RequestAsync("status");
        Assert.Equal(1, status.ExitCode);
        Assert.StartsWith(sentence + "\n", status.Output, StringComparison.Ordinal);
        Assert.Contains("app       stopped\n", status.Output, StringComparison.Ordinal);
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, """{"status":"stopped","message":"The app is turned off for now."}""" + "\n"),
            await GetAsync());
    }

    private async Task<AgentProcess> ServeOneAsync()
    {
        ConfigureUpdate("auto", "1s");
        await PushAsync("1");
        var agent = StartAgent();
        await WaitForAsync(s => s is { App.State: "serving", Rollout.Phase: "settled" }, "the watch is over");
        return agent;
    }

    private async Task<(string Old, string New)> ServeTwoGoodVersionsAsync()
    {
        ConfigureUpdate("auto", "1s");
        var old = (await ServeGoodAsync("old")).App.Digest!;
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        var status = await WaitForAsync(
            s => s.App.Digest != old && s is { App.State: "serving", Rollout.Phase: "settled" }, "the second image has passed its watch");
        Assert.Equal([status.App.Digest!, old], status.Rollout.LastGood);
        return (old, status.App.Digest!);
    }
}
