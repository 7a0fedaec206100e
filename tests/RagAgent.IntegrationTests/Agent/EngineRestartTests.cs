using System.Diagnostics;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The engine is restarted, killed and frozen beneath the agent: what that does to the app is the engine's, and never held against an image.</summary>
public sealed class EngineRestartTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_restart_of_an_engine_with_live_restore_does_not_touch_the_app()
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
        // The app lives on, but its port is carried by a process of the engine's: as many probes fail as an app may fail, one, and the next is far off.
        await WaitForAsync(s => s.Headline.StartsWith("The app does not answer. Docker Engine is not running", StringComparison.Ordinal), "its probes fail");
        await engine.StartAsync();
        await WaitForAsync(s => s.Engine.Answers && s.App.State == "serving" && s.Problems.Count == 0, "the engine answers again");

        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        Assert.Equal("1", await ServedVersionAsync());
        Assert.False(agent.HasExited);

        // Its events are heard again.
        await engine.Docker.DoAsync("kill", Name);
        await WaitForFailureAsync("app-exited");
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
    }

    [Fact]
    public async Task A_restart_of_an_engine_that_takes_the_app_down_is_the_engines_doing_and_counts_against_no_image()
    {
        var engine = await StartEngineAsync();
        Config["update"]!["watch"] = "1s";
        await PushAsync("good");
        var first = StartAgent();
        await WaitForAsync(s => s.Rollout.LastGood.Count == 1, "the first image has proven itself");
        await first.StopAsync();
        Config["update"]!["watch"] = "1h";
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();

        // Three crashes of its own would have it rolled back.
        for (var restart = 1; restart <= 3; restart++)
        {
            var started = await engine.Docker.StartedAtAsync(Name);
            await engine.RestartAsync();
            var answers = Stopwatch.StartNew();
            await WaitUntilServedAgainAsync(engine.Docker, started, $"the app is back after restart {restart}");
            Assert.InRange(answers.Elapsed, TimeSpan.Zero, BackWithin);
            Assert.Equal("new", await ServedVersionAsync());
            var status = await WaitForAsync(s => s.App.State == "serving", "it serves");
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
    public async Task An_engine_that_is_killed_and_started_again_has_the_app_back(string restore)
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
        await WaitForAsync(s => s.Engine.Answers && s.App.State == "serving" && s.Problems.Count == 0, "the app serves upon an engine that answers");
        await WaitUntilAsync(async () => (await GetAsync()).Status == System.Net.HttpStatusCode.OK, "visitors come in");

        Assert.InRange(answers.Elapsed, TimeSpan.Zero, BackWithin);
        Assert.False(agent.HasExited);
        Assert.Single(await ContainersAsync(engine.Docker));
        if (restore == "--live-restore")
        {
            Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        }
    }

    [Fact]
    public async Task While_the_engine_is_frozen_the_app_serves_on_and_the_agent_answers()
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

        // What happens then is noticed as ever.
        await engine.Docker.DoAsync("kill", Name);
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task A_frozen_engine_is_told_and_nothing_is_restarted_or_doubled()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        await engine.SignalAsync("STOP");
        // A new life of the agent asks at once; the engine has a minute for the answer.
        await ReloadAsync(agent);
        await WaitForProblemAsync("engine-silent");
        await engine.SignalAsync("CONT");
        await WaitForAsync(s => s.App.State == "serving" && s.Problems.Count == 0, "it serves upon an engine that answers");

        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_app_that_dies_while_the_engine_is_frozen_is_started_once_when_it_wakes()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var container = (await engine.Docker.InspectAsync(Name))!;
        var started = container["State"]!["StartedAt"]!.GetValue<string>();

        await engine.SignalAsync("STOP");
        (await RagAgent.IntegrationTests.Support.ProcessRunner.RunAsync("kill", ["-KILL", $"{container["State"]!["Pid"]!.GetValue<int>()}"], stopping: TestCancellation)).AssertSucceeded();
        await WaitForAsync(s => s.App.State is not "serving", "its probes fail");
        await engine.SignalAsync("CONT");
        await WaitUntilServedAgainAsync(engine.Docker, started, "the app is back");
        await WaitForAsync(s => s.App.State == "serving" && s.Problems.Count == 0, "it serves upon an engine that answers");

        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_agent_that_starts_while_the_engine_is_away_adopts_what_lived_on()
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
    public async Task An_agent_ends_in_good_order_while_the_engine_does_not_answer(string how)
    {
        var engine = await StartEngineAsync("--live-restore");
        ConfigureRareProbes();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);
        await (how == "away" ? engine.StopProcessAsync("KILL") : engine.SignalAsync("STOP"));
        await ReloadAsync(agent);
        await WaitForAsync(s => s.App.State == "unknown", "it has begun anew and waits for the engine");

        var asked = Stopwatch.StartNew();
        Assert.Equal(0, await agent.StopAsync());
        Assert.InRange(asked.Elapsed, TimeSpan.Zero, AgentHost.ShutdownTimeout);

        await (how == "away" ? engine.StartAsync() : engine.SignalAsync("CONT"));
        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
    }
}
