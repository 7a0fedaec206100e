using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A new image that is no good: the one before it comes back, and the new one is set aside.</summary>
public sealed class RolloutTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string StartFirst = "start-first";
    private const string StopFirst = "stop-first";

    [Theory]
    [InlineData(StartFirst)]
    [InlineData(StopFirst)]
    public async Task A_new_image_that_exits_at_once_is_quarantined_not_even_tried_after_a_reboot_and_forgotten_when_the_tag_moves(string swap)
    {
        ConfigureUpdate(swap, "2s");
        var before = await ServeGoodAsync();
        await PushWithBehaviorAsync("bad", ("FAKE_APP_EXIT_CODE", "3"));

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        var after = await WaitUntilQuarantinedAsync();
        Assert.Equal($"ragagent: the update failed. The newest image {Short(after.SetAside!.Digest)} is quarantined, and the last good one runs instead: " +
            $"The app's container {ContainerOfTheTrial(swap)} exited with code 3. Push a fixed image, or try this one again with 'ragagent unquarantine'.", update.Error.Trim());
        Assert.Equal("good", await ServedVersionAsync());
        Assert.Equal([before.App.Digest!], after.LastGood);

        await RebootAsync();
        await using var history = await WatchContainersAsync();
        StartAgent();
        var rebooted = await WaitForAsync(s => s.App.State == "serving" && s.Image.Digest is not null, "the app serves, and the tag is known");

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
    public async Task A_new_image_that_served_and_crashes_within_the_watch_is_rolled_back_from_the_disk_with_everything_else_out_of_reach(string swap)
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
    public async Task A_new_image_that_hangs_within_the_watch_is_rolled_back()
    {
        ConfigureUpdate(StartFirst, "6s");
        await ServeGoodAsync();
        await PushWithBehaviorAsync("bad", ("FAKE_APP_HANG_AFTER", "1"));

        await UpdateAsync();

        await WaitForVersionAsync("good");
        Assert.Equal("app-unhealthy", (await WaitUntilQuarantinedAsync()).SetAside!.Why.Code);
    }

    [Fact]
    public async Task A_new_image_that_is_slow_to_start_is_given_its_time()
    {
        ConfigureUpdate(StopFirst, "2s");
        var before = await ServeGoodAsync();
        await PushWithBehaviorAsync("slow", ("FAKE_APP_START_AFTER", "8"));   // four times the watch, well below the deadline
        await using var history = await WatchContainersAsync();

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("slow", await ServedVersionAsync());
        var after = await WaitForAsync(s => s.Rollout.Phase == "settled", "it has proven itself");
        Assert.Equal([after.App.Digest!, before.App.Digest!], after.Rollout.LastGood);
        Assert.Equal((1, 0), (history.StartsOf(after.App.Digest!), history.StartsOf(before.App.Digest!)));
    }

    [Theory]
    [InlineData(StartFirst)]
    [InlineData(StopFirst)]
    public async Task A_gate_that_is_never_passed_leads_back_to_the_image_before(string swap)
    {
        ConfigureUpdate(swap, "2s");
        Config["health"]!["gate"]!["path"] = "/cgi-bin/gate";
        Config["health"]!["startup"]!["deadline"] = "6s";
        await ServeGoodAsync("good", ("FAKE_APP_GATE_STATUS", "200"));
        await PushWithBehaviorAsync("bad", ("FAKE_APP_GATE_STATUS", "500"));

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        // A machine that is under pressure from other tests gives twice the time.
        Assert.Matches($"The app's container {ContainerOfTheTrial(swap)} was not ready within (6|12)s of its start: /cgi-bin/gate answered 500\\.", update.Error);
        Assert.Equal("good", await ServedVersionAsync());
        await WaitUntilQuarantinedAsync();
    }

    [Fact]
    public async Task An_image_that_can_not_even_be_started_leads_back_as_well()
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
        var before = await ServeGoodAfterAsync();
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        await using var history = await WatchContainersAsync();

        for (var stops = 1; stops <= 3; stops++)   // as many crashes would have ended the trial
        {
            await Docker.DoAsync("stop", Name);
            await WaitForAsync(s => s.App is { State: "stopped", StoppedBy: "hand" }, "it stays stopped");
            (await RequestAsync("start")).AssertSucceeded();
            Assert.Equal("new", await ServedVersionAsync());
        }

        var after = await WaitUntilServingAsync();
        Assert.Equal("watch", after.Rollout.Phase);
        Assert.Null(after.Rollout.SetAside);
        Assert.Equal(0, history.StartsOf(before.App.Digest!));
    }

    [Fact]
    public async Task The_container_is_made_from_the_configuration_and_never_from_the_one_before()
    {
        ConfigureUpdate(StopFirst, "2s");
        await PushAsync("old", "latest", "--line", "ENV LEFT_OVER=1", "--line", "VOLUME /left-over", "--line", "EXPOSE 9999", "--line", "LABEL left-over=1");
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

    private async Task<StatusDocument> ServeGoodAfterAsync()
    {
        // Its watch is an hour: the image before becomes good by making room.
        await PushAsync("good");
        StartAgent();
        return await WaitUntilServingAsync();
    }

    private async Task<RolloutStatus> WaitUntilQuarantinedAsync() =>
        (await WaitForAsync(s => s.App.State == "serving" && s.Rollout.SetAside?.Verdict == "quarantined", "the new image is quarantined")).Rollout;

    /// <summary>What stands beside one that serves has a name of its own until it takes over.</summary>
    private string ContainerOfTheTrial(string swap) => swap == StartFirst ? $"{Name}-next" : Name;

    private static string Short(string digest) => digest[..19];

    private void CutEverything()
    {
        foreach (var operation in new[] { Operations.RegistryAny, Operations.StorageBlob, Operations.GetAuthorizationToken, Operations.GetParameter })
        {
            Aws.Faults.Add(operation, new Fault.Cut());
        }
    }
}
