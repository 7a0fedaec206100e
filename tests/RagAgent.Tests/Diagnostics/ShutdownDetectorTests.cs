using RagAgent.Common;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>A machine that goes off, told from an agent that ends.</summary>
public class ShutdownDetectorTests
{
    [Theory]
    [InlineData("  151 poweroff.target   start waiting\n  187 ragagent.service stop  running\n", true)]
    [InlineData("151 halt.target start waiting", true)]
    [InlineData("  151 reboot.target start waiting\n", false)]   // an instance that restarts keeps its addresses
    [InlineData("  187 ragagent.service stop running\n", false)]
    [InlineData("  12 poweroff.target stop waiting\n", false)]
    [InlineData("No jobs running.", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public async Task It_is_told_by_what_systemd_is_about_to_do(string? jobs, bool near) =>
        Assert.Equal(near, await new ShutdownDetector(new StateFeed()) { ListJobs = _ => Task.FromResult(jobs) }.IsPoweringOffAsync(TestContext.Current.CancellationToken));

    [Fact]
    public async Task Or_by_EC2_which_has_agreed_to_stop_it()
    {
        var feed = new StateFeed();
        feed.Publish(new AgentState { InstanceStop = Sample.Loaded(new StopAccepted("i-0123456789abcdef0", Moment.Zero)) });

        Assert.True(await new ShutdownDetector(feed) { ListJobs = _ => Task.FromResult<string?>(null) }.IsPoweringOffAsync(TestContext.Current.CancellationToken));
    }
}
