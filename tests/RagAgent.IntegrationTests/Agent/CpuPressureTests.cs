using System.Text.RegularExpressions;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A machine under CPU pressure gives the app more time, but not forever.</summary>
[Collection(ExclusiveCollection.Name)]
public sealed partial class CpuPressureTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int Failures = 5;

    [Fact]
    public async Task A_slow_app_on_a_loaded_machine_gets_more_time_and_is_not_restarted()
    {
        CpuLoad.SkipWithoutPressureFile();
        ConfigureApp(("FAKE_APP_SLOW_SECONDS", "3"));
        Config["health"]!["liveness"]!["failures"] = Failures;
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        await using var load = new CpuLoad();
        await load.WaitUntilMeasurableAsync(TestCancellation);

        await Docker.RunCheckedAsync("exec", Name, "touch", "/tmp/slow");
        var slow = await WaitForAsync(s => s.LastFailure is not null || Failed(s.Headline) > Failures, "more probes fail than are allowed without pressure");
        Assert.Null(slow.LastFailure);
        await Docker.RunCheckedAsync("exec", Name, "rm", "/tmp/slow");

        Assert.Contains("did not answer within 1s while the machine is short of processor time", slow.Headline, StringComparison.Ordinal);
        Assert.Null((await WaitUntilServingAsync()).LastFailure);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_app_that_hangs_on_a_loaded_machine_is_still_restarted()
    {
        CpuLoad.SkipWithoutPressureFile();
        ConfigureApp(("FAKE_APP_HANG_AFTER", "3"));
        await PushAsync();
        await using var load = new CpuLoad();
        await load.WaitUntilMeasurableAsync(TestCancellation);
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        var failure = await WaitForFailureAsync("app-unhealthy");

        Assert.Equal(
            $"The app's container {Name} failed 6 liveness probes in a row: /_stcore/health did not answer within 1s while the machine is short of processor time.",
            failure.Problem.What);
        await WaitUntilServingAsync();
        Assert.NotEqual(started, await Docker.StartedAtAsync(Name));
    }

    private static int Failed(string headline) =>
        FailedProbes().Match(headline) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
            : 0;

    [GeneratedRegex(@"\((\d+) liveness probes failed in a row")]
    private static partial Regex FailedProbes();
}
