using System.Diagnostics;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The engine is restarted, killed or frozen. What that does to the app never counts against an image.</summary>
public sealed class EngineRestartTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Restarting_an_engine_with_live_restore_does_not_touch_the_app()
    {
        var engine = await StartEngineAsync("--live-restore");
        Config["health"]!["liveness"]!["interval"] = "20s";
        Config["health"]!["liveness"]!["failures"] = 1;
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        await engine.StopProcessAsync("TERM");
        await WaitForProblemAsync("engine-unreachable");
        // The app keeps running, but its port is published by an engine process. One probe fails, which is all that is allowed; the next is
        // far off.
        await WaitForAsync(s => s.Headline.StartsWith("The app does not answer. Docker Engine is not running", StringComparison.Ordinal), "the probes fail");
        await engine.StartAsync();
        await WaitForAsync(s => s.Engine.Answers && s.App.State == "serving" && s.Problems.Count == 0, "the engine answers again");

        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        Assert.Equal("1", await ServedVersionAsync());
        Assert.False(agent.HasExited);

        // The agent receives its events again.
        await engine.Docker.RunCheckedAsync("kill", Name);
        await WaitForFailureAsync("app-exited");
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
    }

    [Fact]
    public async Task An_engine_restart_that_stops_the_app_counts_against_no_image()
    {
        var engine = await StartEngineAsync();
        Config["update"]!["watch"] = "1s";
        await PushAsync("good");
        var first = StartAgent();
        await WaitForAsync(s => s.Rollout.LastGood.Count == 1, "the first image has passed its watch");
        await first.StopAsync();
        Config["update"]!["watch"] = "1h";
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();

        // Three crashes of its own would roll it back.
        for (var restart = 1; restart <= 3; restart++)
        {
            var started = await engine.Docker.StartedAtAsync(Name);
            await engine.RestartAsync();
            var answers = Stopwatch.StartNew();
            await WaitUntilServedAgainAsync(engine.Docker, started, $"the app is back after restart {restart}");
            Assert.InRange(answers.Elapsed, TimeSpan.Zero, BackWithin);
            Assert.Equal("new", await ServedVersionAsync());
            var status = await WaitForAsync(s => s.App.State == "serving", "the app serves");
            Assert.Equal("app-ended-with-engine", status.LastFailure!.Problem.Code);
            Assert.Equal("watch", status.Rollout.Phase);
            Assert.Null(status.Rollout.SetAside);
            Assert.Null(status.App.StoppedBy);
        }
        Assert.False(agent.HasExited);
        Assert.Single(await ContainersAsync(engine.Docker));
    }

    [Theory]
    [InlineData("--live-restore")]
    [InlineData("--live-restore=false")]
    public async Task The_app_is_back_after_the_engine_is_killed_and_restarted(string restore)
    {
        var engine = await StartEngineAsync(restore);
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        await engine.StopProcessAsync("KILL");
        await WaitForProblemAsync("engine-unreachable");
        await engine.StartAsync();
        var answers = Stopwatch.StartNew();
        await WaitForAsync(
            s => s.Engine.Answers && s.App.State == "serving" && s.Problems.Count == 0, "the app serves and the engine answers");
        await WaitUntilAsync(async () => (await GetAsync()).Status == System.Net.HttpStatusCode.OK, "clients get the app");

        Assert.InRange(answers.Elapsed, TimeSpan.Zero, BackWithin);
        Assert.False(agent.HasExited);
        Assert.Single(await ContainersAsync(engine.Docker));
        if (restore == "--live-restore")
        {
            Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        }
    }

    [Fact]
    public async Task The_app_serves_and_the_agent_answers_while_the_engine_is_frozen()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        await engine.SignalAsync("STOP");
        for (var asked = 1; asked <= 5; asked++)
        {
            Assert.Contains("Nothing newer", (await UpdateAsync()).AssertSucceeded(), StringComparison.Ordinal);
            Assert.Equal("1", await ServedVersionAsync());
        }
        await engine.SignalAsync("CONT");

        // The agent notices what happens afterwards.
        await engine.Docker.RunCheckedAsync("kill", Name);
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task A_frozen_engine_is_reported_and_the_app_is_not_restarted()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        await engine.SignalAsync("STOP");
        // After a reload, the agent inspects the engine at once and waits up to a minute for the response.
        await ReloadAsync(agent);
        await WaitForProblemAsync("engine-silent");
        await engine.SignalAsync("CONT");
        await WaitForAsync(s => s.App.State == "serving" && s.Problems.Count == 0, "the app serves and the engine answers");

        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_app_that_dies_while_the_engine_is_frozen_is_started_once_afterwards()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var container = (await engine.Docker.InspectAsync(Name))!;
        var started = container["State"]!["StartedAt"]!.GetValue<string>();

        await engine.SignalAsync("STOP");
        (await ProcessRunner.RunAsync(
            "kill", ["-KILL", $"{container["State"]!["Pid"]!.GetValue<int>()}"], stopping: TestCancellation)).AssertSucceeded();
        await WaitForAsync(s => s.App.State is not "serving", "the probes fail");
        await engine.SignalAsync("CONT");
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
        await WaitForAsync(s => s.App.State == "serving" && s.Problems.Count == 0, "the app serves and the engine answers");

        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_agent_started_without_an_engine_adopts_the_app_that_kept_running()
    {
        var engine = await StartEngineAsync("--live-restore");
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);
        await first.StopAsync();
        await engine.StopProcessAsync("TERM");

        var second = StartAgent();
        await WaitForProblemAsync("engine-unreachable");
        await engine.StartAsync();
        await WaitUntilServingAsync();

        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        await second.WaitForLogAsync("which was already running");
    }

    [Theory]
    [InlineData("away")]
    [InlineData("frozen")]
    public async Task The_agent_shuts_down_cleanly_while_the_engine_does_not_answer(string how)
    {
        var engine = await StartEngineAsync("--live-restore");
        ConfigureRareProbes();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);
        await (how == "away" ? engine.StopProcessAsync("KILL") : engine.SignalAsync("STOP"));
        await ReloadAsync(agent);
        await WaitForAsync(s => s.App.State == "unknown", "the agent has restarted and waits for the engine");

        var asked = Stopwatch.StartNew();
        Assert.Equal(0, await agent.StopAsync());
        Assert.InRange(asked.Elapsed, TimeSpan.Zero, AgentHost.ShutdownTimeout);

        await (how == "away" ? engine.StartAsync() : engine.SignalAsync("CONT"));
        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
    }
}
