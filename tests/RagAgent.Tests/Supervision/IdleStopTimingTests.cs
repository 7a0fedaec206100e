using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>When an idle instance acts, to the second, although nothing else wakes the agent.</summary>
public class IdleStopTimingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ContainerStory _story = new();

    [Fact]
    public void The_notice_and_the_stop_come_on_time_when_nothing_else_happens()
    {
        Serve(new IdlePolicy { StopAfter = Hour });
        var notice = _story.State.Idle.FirstServedAt!.Value + Hour + Second;
        _story.Advance(notice - _story.Now);
        Assert.Equal(notice, _story.State.Idle.IdleNoticeAt);
        _story.Advance((2 * Minute) - Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        _story.Advance(Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void The_notice_and_the_stop_for_uptime_come_on_time_when_nothing_else_happens()
    {
        Serve(new IdlePolicy { MaxUptime = 12 * Hour });
        _story.Advance((12 * Hour) - (5 * Minute) - (_story.Now - Moment.Zero));
        Assert.Equal(_story.Now, _story.State.Idle.UptimeNoticeAt);
        _story.Advance((5 * Minute) - Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        _story.Advance(Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void A_stop_for_uptime_waits_for_a_command_until_its_grace_is_over()
    {
        Serve(new IdlePolicy { MaxUptime = 12 * Hour });
        _story.Request(RequestKind.Update).Advance((12 * Hour) + (15 * Minute) - Second - (_story.Now - Moment.Zero));
        Assert.False(_story.IsPending<Effect.StopInstance>());
        _story.Advance(Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void A_stop_that_failed_is_asked_for_again_on_time_when_nothing_else_happens()
    {
        Serve(new IdlePolicy { StopAfter = Hour });
        _story.Advance(Hour + (3 * Minute));
        _story.CompleteInstanceStop(at => new Event.InstanceStopFailed(at, Sample.Refused));
        var again = ((FetchState.Waiting)_story.State.InstanceStop.State).Until;
        _story.Advance(again - _story.Now);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void An_instance_that_is_still_up_after_its_stop_is_asked_to_stop_again_five_seconds_later()
    {
        Serve(new IdlePolicy { StopAfter = Hour });
        _story.Advance(Hour + (3 * Minute));
        _story.CompleteInstanceStop(at => new Event.InstanceStopAccepted(at, "i-1")).ForgetStartedEffects().Advance(10 * Minute);
        Assert.Contains("10m later", _story.State.InstanceStop.Problem!.What, StringComparison.Ordinal);
        Assert.Equal(1, _story.State.InstanceStop.Failures);
        _story.Advance((5 * Second) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _story.CountStarted<Effect.StopInstance>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _story.CountStarted<Effect.StopInstance>());
    }

    [Fact]
    public void The_planned_stop_follows_a_notice_that_came_late()
    {
        var idle = new IdlePolicy { StopAfter = Hour, MaxUptime = 12 * Hour };
        var noticed = Moment.Zero + (3 * Hour);
        Assert.Equal((noticed + (2 * Minute), false),
            Planned(idle, new IdleState(Moment.Zero, FirstServedAt: Moment.Zero, IdleNoticeAt: noticed)));
        var late = Moment.Zero + (20 * Hour);
        Assert.Equal((late + (5 * Minute), true),
            Planned(idle with { StopAfter = null }, new IdleState(Moment.Zero, UptimeNoticeAt: late)));
    }

    [Fact]
    public void Of_an_idle_stop_and_one_for_uptime_the_earlier_one_is_planned()
    {
        var idle = new IdlePolicy { StopAfter = Hour, MaxUptime = 12 * Hour };
        var quiet = Moment.Zero + Hour + Second + (2 * Minute);
        var used = new IdleState(Moment.Zero, FirstServedAt: Moment.Zero);
        Assert.Equal((quiet, false), Planned(idle, used));
        Assert.Equal((quiet, false), Planned(idle with { MaxUptime = quiet - Moment.Zero }, used));
        Assert.Equal((quiet - Second, true), Planned(idle with { MaxUptime = quiet - Moment.Zero - Second }, used));
    }

    private static (Moment At, bool IsForUptime)? Planned(IdlePolicy idle, IdleState used) =>
        IdleStop.PlannedStop(new AgentState { Idle = used }, new Policy { ConfigFingerprint = ContainerStory.Config, Idle = idle });

    /// <summary>A proven image serves, and nothing but the idle policy has a deadline.</summary>
    private void Serve(IdlePolicy idle)
    {
        _story.StartServing().PassWatch();
        _story.Policy = new Policy
        {
            ConfigFingerprint = ContainerStory.Config,
            CheckInterval = null,
            LivenessInterval = 1000 * Hour,
            InspectInterval = 1000 * Hour,
            Idle = idle,
        };
        _story.Advance(TimeSpan.FromSeconds(20)).PassProbe();
    }
}
