using System.Text.RegularExpressions;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An app whose processes are frozen: the kernel accepts connections, but nothing answers.</summary>
public sealed class AppHangTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task The_third_hang_of_an_app_is_detected_like_the_first()
    {
        await PushAsync();
        var agent = StartAgent();
        DateTimeOffset? last = null;
        for (var hang = 1; hang <= 3; hang++)
        {
            await WaitUntilServingAsync();
            var started = await Docker.StartedAtAsync(Name);

            await SignalAppAsync("STOP");

            var status = await WaitForAsync(
                s => s.LastFailure is { Problem.Code: "app-unhealthy" } failure && failure.At != last, $"hang {hang} is detected");
            last = status.LastFailure!.At;
            await WaitUntilServedAgainAsync(Docker, started, $"the app is back after hang {hang}");
        }
        Assert.Null((await WaitUntilServingAsync()).Rollout.SetAside);
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_app_that_hangs_for_fewer_probes_than_allowed_is_not_restarted()
    {
        Config["health"]!["liveness"]!["failures"] = 200;
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        await SignalAppAsync("STOP");
        await WaitForAsync(s => s.App.State == "unhealthy" && Regex.IsMatch(s.Headline, @"not answer \(([3-9]|\d\d+) liveness probes failed"), "three probes fail");
        await SignalAppAsync("CONT");
        var status = await WaitUntilServingAsync();

        Assert.Null(status.LastFailure);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task Startup_probe_failures_are_not_counted_as_liveness_failures()
    {
        ConfigureApp(("FAKE_APP_UNHEALTHY_FOR", "3"));
        Config["health"]!["liveness"]!["failures"] = 4;
        await PushAsync();
        StartAgent();
        await WaitForAsync(
            s => s.App.State == "starting" && s.Headline.Contains("answered 404", StringComparison.Ordinal), "a startup probe fails");
        Assert.Null((await WaitUntilServingAsync()).LastFailure);

        await SignalAppAsync("STOP");

        var failure = await WaitForFailureAsync("app-unhealthy");
        Assert.Matches("failed [48] liveness probes in a row", failure.Problem.What);   // eight if the machine is under pressure
    }

    /// <summary>Sends a signal to every process of the app, from outside the container.</summary>
    private async Task SignalAppAsync(string signal)
    {
        var processes = PrivateEngine.Lines(await Docker.RunCheckedAsync("top", Name, "-o", "pid")).Skip(1).Select(line => line.Trim());
        (await ProcessRunner.RunAsync("kill", [$"-{signal}", .. processes], stopping: TestCancellation)).AssertSucceeded();
    }
}
