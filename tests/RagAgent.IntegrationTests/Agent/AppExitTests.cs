using System.Diagnostics;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>How an app may end, and how it is told to scripts.</summary>
public sealed class AppExitTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task An_app_that_ran_out_of_memory_is_told_with_code_signal_and_reason()
    {
        ConfigureApp(("FAKE_APP_LEAK_MIB_PER_SECOND", "40"));
        Config["container"]!["memory"] = "32m";
        await PushAsync();
        StartAgent();
        await WaitForFailureAsync("app-out-of-memory");

        var exit = JsonNode.Parse((await RunCommandAsync("status", "--json", "--runtime-dir", RuntimeDirectory)).Output)!["lastFailure"]!["exit"]!;

        Assert.Equal((137, 9, true), (exit["code"]!.GetValue<int>(), exit["signal"]!.GetValue<int>(), exit["outOfMemory"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task An_app_that_exited_with_code_0_is_told_without_a_signal_and_is_not_taken_for_stopped()
    {
        ConfigureApp(("FAKE_APP_EXIT_AFTER", "1"));
        await PushAsync();
        StartAgent();
        var failure = await WaitForFailureAsync("app-exited");

        Assert.Equal((0, null, false), (failure.Exit!.Code, failure.Exit.Signal, failure.Exit.OutOfMemory));
        var again = await WaitForAsync(s => s.App.Crashes >= 2, "it was started and ended again");
        Assert.Null(again.App.StoppedBy);
    }

    [Fact]
    public async Task An_app_that_ignores_the_request_to_end_is_killed_when_its_time_is_over_and_waited_for_until_then()
    {
        const int timeout = 12;
        ConfigureApp(("FAKE_APP_IGNORE_SIGTERM", "1"));
        Config["container"]!["stopTimeout"] = $"{timeout}s";
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var process = (await Docker.InspectAsync(Name))!["State"]!["Pid"]!.GetValue<int>();

        var asked = Stopwatch.StartNew();
        (await RunCommandAsync("stop", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();

        Assert.InRange(asked.Elapsed.TotalSeconds, timeout, timeout + 30);
        Assert.False(Directory.Exists($"/proc/{process}"));
        Assert.Empty(await ContainersAsync(Docker));
        Assert.DoesNotContain("engine", string.Join('\n', (await WaitForAsync(s => s.App.State == "stopped", "it is stopped")).Problems.Select(p => p.Code)), StringComparison.Ordinal);
        Assert.False(agent.HasExited);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task The_late_end_of_a_stop_of_the_agents_own_that_its_end_cut_is_nobodys_docker_stop(string end)
    {
        ConfigureApp(("FAKE_APP_IGNORE_SIGTERM", "1"));
        Config["container"]!["stopTimeout"] = "8s";
        await PushAsync();
        var first = StartAgent();
        var old = (await WaitUntilServingAsync()).App.Container;

        // What the container is made from has changed: it has to make room, and takes its whole time for it.
        Config["container"]!["memory"] = "200m";
        WriteConfig();
        await first.SignalAsync("HUP");
        var state = Path.Combine(StateDirectory, "state.json");
        await WaitUntilAsync(async () => (await File.ReadAllTextAsync(state, TestCancellation)).Contains("\"stopAsked\": true", StringComparison.Ordinal), "the stop is noted");
        await WaitUntilAsync(() => Task.FromResult(first.Log.Contains("another release replaces it", StringComparison.Ordinal)), "the stop is told");
        await first.StopAsync(end);
        var second = StartAgent();

        var status = await WaitForAsync(s => s.App.State == "serving" && s.App.Container != old, "the next one serves");
        Assert.Equal((null, 0), (status.App.StoppedBy, status.App.Crashes));
        Assert.DoesNotContain("stopped with 'docker stop'", second.Log, StringComparison.Ordinal);
    }
}
