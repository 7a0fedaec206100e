using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision;
using RagAgent.Tests.Configuration;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>The numbers that decisions are made with where the configuration says nothing.</summary>
public class PolicyTests
{
    private static readonly Policy Usual = new() { ConfigFingerprint = ContainerStory.Config };
    private static readonly AgentConfig Defaults = ConfigText.AssertAccepted("""{ "image": "app" }""");

    [Fact]
    public void Without_settings_the_rules_use_the_defaults_of_the_configuration()
    {
        Assert.Equal(Defaults.Health.Startup.Interval, Usual.StartupInterval);
        Assert.Equal(Defaults.Health.Startup.Deadline, Usual.StartupDeadline);
        Assert.Equal(Defaults.Health.Liveness.Interval, Usual.LivenessInterval);
        Assert.Equal(Defaults.Health.Liveness.Failures, Usual.LivenessFailures);
        Assert.Equal(new Backoff(Defaults.Restart.FirstDelay, Defaults.Restart.MaxDelay), Usual.Restart);
        Assert.Equal(Defaults.Restart.ResetAfter, Usual.RestartResetAfter);
        Assert.Equal(Defaults.Update.Every, Usual.CheckInterval);
        Assert.Equal(Defaults.Update.When == UpdateWhen.Idle, Usual.WaitForIdle);
        Assert.Equal(Defaults.Update.Watch, Usual.Watch);
        Assert.Equal(Defaults.Update.Drain, Usual.DrainTimeout);
    }

    [Fact]
    public void A_replaced_container_gets_five_seconds_for_its_last_requests() =>
        Assert.Equal(TimeSpan.FromSeconds(5), Usual.FinishTimeout);

    [Fact]
    public void A_failing_registry_is_retried_within_30_seconds_and_a_pull_within_five_minutes()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), Usual.Retry.After(100, jitter: 1));
        Assert.Equal(TimeSpan.FromMinutes(5), Usual.PullRetry.After(100, jitter: 1));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(90, 2)]
    public void The_notice_before_an_idle_stop_is_two_minutes_unless_the_idle_time_itself_is_shorter(int idleMinutes, int noticeMinutes) =>
        Assert.Equal(TimeSpan.FromMinutes(noticeMinutes), new IdlePolicy { StopAfter = TimeSpan.FromMinutes(idleMinutes) }.Notice);

    [Fact]
    public void A_denied_instance_stop_is_retried_after_five_seconds_up_to_every_ten_minutes()
    {
        var retry = new IdlePolicy().Retry;

        Assert.Equal(TimeSpan.FromSeconds(5), retry.After(1, jitter: 0.5));
        Assert.Equal(TimeSpan.FromMinutes(10), retry.After(100, jitter: 0.5));
    }
}
