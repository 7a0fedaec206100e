using System.Diagnostics;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>How an app can end, and how status reports it to scripts.</summary>
public sealed class AppExitTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task Status_reports_exit_code_signal_and_reason_of_an_app_killed_for_memory()
    {
        ConfigureApp(("FAKE_APP_LEAK_MIB_PER_SECOND", "40"));
        Config["container"]!["memory"] = "32m";
        await PushAsync();
        StartAgent();
        await WaitForFailureAsync("app-out-of-memory");

        var exit = JsonNode.Parse(
            (await RunCommandAsync("status", "--json", "--runtime-dir", RuntimeDirectory)).Output)!["lastFailure"]!["exit"]!;

        Assert.Equal(
            (137, 9, true), (exit["code"]!.GetValue<int>(), exit["signal"]!.GetValue<int>(), exit["outOfMemory"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task An_app_that_exits_with_code_0_is_reported_as_exited_and_not_as_stopped()
    {
        ConfigureApp(("FAKE_APP_EXIT_AFTER", "1"));
        await PushAsync();
        StartAgent();
        var failure = await WaitForFailureAsync("app-exited");

        Assert.Equal((0, null, false), (failure.Exit!.Code, failure.Exit.Signal, failure.Exit.OutOfMemory));
        var again = await WaitForAsync(s => s.App.Crashes >= 2, "the app was started and exited again");
        Assert.Null(again.App.StoppedBy);
    }

    [Fact]
    public async Task An_app_that_ignores_SIGTERM_is_killed_when_its_stop_timeout_ends()
    {
        const int timeout = 12;
        ConfigureApp(("FAKE_APP_IGNORE_SIGTERM", "1"));
        Config["container"]!["stopTimeout"] = $"{timeout}s";
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var process = (await Docker.InspectAsync(Name))!["State"]!["Pid"]!.GetValue<int>();

        var stopwatch = Stopwatch.StartNew();
        (await RunCommandAsync("stop", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();

        Assert.InRange(stopwatch.Elapsed.TotalSeconds, timeout, timeout + 30);
        Assert.False(Directory.Exists($"/proc/{process}"));
        Assert.Empty(await ContainersAsync(Docker));
        Assert.DoesNotContain(
            "engine",
            string.Join('\n', (await WaitForAsync(s => s.App.State == "stopped", "the app is stopped")).Problems.Select(p => p.Code)),
            StringComparison.Ordinal);
        Assert.False(agent.HasExited);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_stop_begun_by_an_agent_that_ended_is_not_mistaken_for_docker_stop(string end)
    {
        ConfigureApp(("FAKE_APP_IGNORE_SIGTERM", "1"));
        Config["container"]!["stopTimeout"] = "8s";
        await PushAsync();
        var first = StartAgent();
        var old = (await WaitUntilServingAsync()).App.Container;

        // The changed memory limit requires a new container. The old one takes its whole stop timeout.
        Config["container"]!["memory"] = "200m";
        WriteConfig();
        await first.SignalAsync("HUP");
        var state = Path.Combine(StateDirectory, "state.json");
        await WaitUntilAsync(
            async () => (await File.ReadAllTextAsync(state, TestCancellation)).Contains("\"stopAsked\": true", StringComparison.Ordinal),
            "the stop is saved");
        await first.WaitForLogAsync("another release replaces it");
        await first.StopAsync(end);
        var second = StartAgent();

        var status = await WaitForAsync(s => s.App.State == "serving" && s.App.Container != old, "the next container serves");
        Assert.Equal((null, 0), (status.App.StoppedBy, status.App.Crashes));
        Assert.DoesNotContain("stopped with 'docker stop'", second.Log, StringComparison.Ordinal);
    }
}
