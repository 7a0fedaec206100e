using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A new image that fails: the previous one comes back, and the new one is quarantined.</summary>
public sealed class RolloutTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string StartFirst = "start-first";
    private const string StopFirst = "stop-first";

    [Theory]
    [InlineData(StartFirst)]
    [InlineData(StopFirst)]
    public async Task An_image_that_exits_at_once_stays_quarantined_across_reboots_until_the_tag_moves(string swap)
    {
        ConfigureUpdate(swap, "2s");
        var before = await ServeGoodAsync();
        await PushWithBehaviorAsync("bad", ("FAKE_APP_EXIT_CODE", "3"));

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        var after = await WaitUntilQuarantinedAsync();
        Assert.Equal($"ragagent: the update failed. The newest image {Short(after.SetAside!.Digest)} is quarantined, and the last good one runs instead: " +
            $"The app's container {CandidateName(swap)} exited with code 3. Push a fixed image, or try this one again with 'ragagent unquarantine'.", update.Error.Trim());
        Assert.Equal("good", await ServedVersionAsync());
        Assert.Equal([before.App.Digest!], after.LastGood);

        await RebootAsync();
        await using var history = await WatchContainersAsync();
        StartAgent();
        var rebooted = await WaitForAsync(
            s => s.App.State == "serving" && s.Image.Digest is not null, "the app serves, and the tag is known");

        Assert.Equal("good", await ServedVersionAsync());
        Assert.Equal(after.SetAside.Digest, rebooted.Image.Digest);
        Assert.Equal((1, 0), (history.StartsOf(before.App.Digest!), history.StartsOf(after.SetAside.Digest)));

        await PushAsync("better");
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal("better", await ServedVersionAsync());
        Assert.Null((await WaitUntilServingAsync()).Rollout.SetAside);
    }

    [Theory]
    [InlineData(StartFirst)]
    [InlineData(StopFirst)]
    public async Task A_crash_within_the_watch_rolls_back_from_disk_without_registry_or_Parameter_Store(string swap)
    {
        ConfigureUpdate(swap, "5s");
        var before = await ServeGoodAsync();
        await PushWithBehaviorAsync("bad", ("FAKE_APP_EXIT_AFTER", "2"), ("FAKE_APP_EXIT_CODE", "3"));

        (await UpdateAsync()).AssertSucceeded();   // it passed its gate
        Assert.Equal("bad", await ServedVersionAsync());
        CutEverything();

        await WaitForVersionAsync("good");
        var after = await WaitUntilQuarantinedAsync();
        Assert.Equal($"The app's container {Name} exited with code 3.", after.SetAside!.Why.What);
        Assert.Equal(before.App.Digest, after.LastGood[0]);
        Assert.Equal("good", await ServedVersionAsync());
        Assert.Single(await AgentContainersAsync());
    }

    [Fact]
    public async Task A_hang_within_the_watch_rolls_back()
    {
        ConfigureUpdate(StartFirst, "6s");
        await ServeGoodAsync();
        await PushWithBehaviorAsync("bad", ("FAKE_APP_HANG_AFTER", "1"));

        await UpdateAsync();

        await WaitForVersionAsync("good");
        Assert.Equal("app-unhealthy", (await WaitUntilQuarantinedAsync()).SetAside!.Why.Code);
    }

    [Fact]
    public async Task A_new_image_that_starts_slowly_gets_its_time()
    {
        ConfigureUpdate(StopFirst, "2s");
        var before = await ServeGoodAsync();
        await PushWithBehaviorAsync("slow", ("FAKE_APP_START_AFTER", "8"));   // four times the watch, well below the deadline
        await using var history = await WatchContainersAsync();

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("slow", await ServedVersionAsync());
        var after = await WaitForAsync(s => s.Rollout.Phase == "settled", "the watch is over");
        Assert.Equal([after.App.Digest!, before.App.Digest!], after.Rollout.LastGood);
        Assert.Equal((1, 0), (history.StartsOf(after.App.Digest!), history.StartsOf(before.App.Digest!)));
    }

    [Theory]
    [InlineData(StartFirst)]
    [InlineData(StopFirst)]
    public async Task A_candidate_that_never_passes_the_gate_is_rolled_back(string swap)
    {
        ConfigureUpdate(swap, "2s");
        Config["health"]!["gate"]!["path"] = "/cgi-bin/gate";
        Config["health"]!["startup"]!["deadline"] = "6s";
        await ServeGoodAsync("good", ("FAKE_APP_GATE_STATUS", "200"));
        await PushWithBehaviorAsync("bad", ("FAKE_APP_GATE_STATUS", "500"));

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        // Under pressure from other tests, the agent allows twice the time.
        Assert.Matches($"The app's container {CandidateName(swap)} was not ready within (6|12)s of its start: /cgi-bin/gate answered 500\\.", update.Error);
        Assert.Equal("good", await ServedVersionAsync());
        await WaitUntilQuarantinedAsync();
    }

    [Fact]
    public async Task An_image_that_can_not_be_started_is_rolled_back()
    {
        ConfigureUpdate(StopFirst, "2s");
        await ServeGoodAsync();
        await PushAsync("bad", "latest", "--no-shell");

        Assert.Equal(1, (await UpdateAsync()).ExitCode);

        Assert.Equal("good", await ServedVersionAsync());
        Assert.Equal("image-without-shell", (await WaitUntilQuarantinedAsync()).SetAside!.Why.Code);
    }

    [Fact]
    public async Task Stops_on_purpose_count_against_no_image()
    {
        ConfigureUpdate(StopFirst, "1h");
        var before = await ServeFirstImageAsync();
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        await using var history = await WatchContainersAsync();

        for (var stops = 1; stops <= 3; stops++)   // three crashes would have ended the trial
        {
            await Docker.RunCheckedAsync("stop", Name);
            await WaitForAsync(s => s.App is { State: "stopped", StoppedBy: "hand" }, "the app stays stopped");
            (await RequestAsync("start")).AssertSucceeded();
            Assert.Equal("new", await ServedVersionAsync());
        }

        var after = await WaitUntilServingAsync();
        Assert.Equal("watch", after.Rollout.Phase);
        Assert.Null(after.Rollout.SetAside);
        Assert.Equal(0, history.StartsOf(before.App.Digest!));
    }

    [Fact]
    public async Task A_new_container_inherits_nothing_from_the_previous_one()
    {
        ConfigureUpdate(StopFirst, "2s");
        await PushAsync(
            "old",
            "latest",
            "--line",
            "ENV LEFT_OVER=1",
            "--line",
            "VOLUME /left-over",
            "--line",
            "EXPOSE 9999",
            "--line",
            "LABEL left-over=1");
        StartAgent();
        await WaitUntilServingAsync();
        var old = (await Docker.InspectAsync(Name))!.ToJsonString();
        Assert.Contains("LEFT_OVER=1", old, StringComparison.Ordinal);
        Assert.Contains("/left-over", old, StringComparison.Ordinal);
        Assert.Contains("9999/tcp", old, StringComparison.Ordinal);
        await PushAsync("new", "latest", "--line", "ENV NEWLY_THERE=1");

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        var container = (await Docker.InspectAsync(Name))!.ToJsonString();
        Assert.Contains("NEWLY_THERE=1", container, StringComparison.Ordinal);
        Assert.DoesNotContain("LEFT_OVER", container, StringComparison.Ordinal);
        Assert.DoesNotContain("left-over", container, StringComparison.Ordinal);
        Assert.DoesNotContain("9999/tcp", container, StringComparison.Ordinal);
    }

    private async Task<StatusDocument> ServeFirstImageAsync()
    {
        // The watch takes an hour. The outgoing image counts as good because a rollout replaces it.
        await PushAsync("good");
        StartAgent();
        return await WaitUntilServingAsync();
    }

    private async Task<RolloutStatus> WaitUntilQuarantinedAsync() =>
        (await WaitForAsync(
            s => s.App.State == "serving" && s.Rollout.SetAside?.Verdict == "quarantined", "the new image is quarantined")).Rollout;

    /// <summary>With start-first, the candidate has its own name until it takes over.</summary>
    private string CandidateName(string swap) => swap == StartFirst ? $"{Name}-next" : Name;

    private static string Short(string digest) => digest[..19];

    private void CutEverything()
    {
        string[] operations = [Operations.RegistryAny, Operations.StorageBlob, Operations.GetAuthorizationToken, Operations.GetParameter];
        foreach (var operation in operations)
        {
            Aws.Faults.Add(operation, new Fault.Cut());
        }
    }
}
