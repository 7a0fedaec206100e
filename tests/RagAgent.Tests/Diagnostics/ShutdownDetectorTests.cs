using RagAgent.Common;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>Tells a machine that powers off from an agent that stops.</summary>
public class ShutdownDetectorTests
{
    [Theory]
    [InlineData("  151 poweroff.target   start waiting\n  187 ragagent.service stop  running\n", true)]
    [InlineData("151 halt.target start waiting", true)]
    [InlineData("  151 reboot.target start waiting\n", false)]   // an instance keeps its addresses when it reboots
    [InlineData("  187 ragagent.service stop running\n", false)]
    [InlineData("  12 poweroff.target stop waiting\n", false)]
    [InlineData("No jobs running.", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public async Task A_power_off_is_detected_from_systemds_jobs(string? jobs, bool expected) =>
        Assert.Equal(expected, await IsPoweringOffAsync(new StateFeed(), jobs));

    [Fact]
    public async Task A_power_off_is_detected_from_an_accepted_EC2_stop()
    {
        var feed = new StateFeed();
        feed.Publish(new AgentState { InstanceStop = Sample.Loaded(new StopAccepted("i-0123456789abcdef0", Moment.Zero)) });

        Assert.True(await IsPoweringOffAsync(feed, jobs: null));
    }

    private static Task<bool> IsPoweringOffAsync(StateFeed feed, string? jobs) =>
        new ShutdownDetector(feed) { ListJobs = _ => Task.FromResult(jobs) }.IsPoweringOffAsync(TestContext.Current.CancellationToken);
}
