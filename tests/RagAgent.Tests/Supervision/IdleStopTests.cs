using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>
/// An instance that nobody uses stops itself: after a notice that anybody can take back, and never in the middle of something.
/// </summary>
public class IdleStopTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly Problem Denied = new(ProblemCatalog.AwsDenied, "Denied.", "Allow it.");

    private readonly ContainerStory _story = new(Policy(new IdlePolicy { StopAfter = Hour, Grace = TimeSpan.FromMinutes(30) }));

    [Fact]
    public void After_the_configured_idle_time_comes_the_notice_and_then_the_stop()
    {
        _story.StartServing();
        Advance(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Advance(2 * Second);
        Assert.NotNull(_story.State.Idle.IdleNoticeAt);

        Advance((2 * Minute) - (3 * Second));
        Assert.False(_story.IsPending<Effect.StopInstance>());
        Advance(3 * Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void Without_the_setting_the_instance_never_stops_itself()
    {
        _story.Policy = Policy(null);
        _story.StartServing();
        Advance(100 * Hour);
        Assert.Equal(0, _story.CountStarted<Effect.StopInstance>());
    }

    [Fact]
    public void Activity_revokes_the_notice_and_restarts_the_idle_time()
    {
        _story.StartServing();
        Advance(Hour + Minute);
        Assert.NotNull(_story.State.Idle.IdleNoticeAt);

        _story.Handle(at => new Event.ActivitySeen(at));
        Assert.Null(_story.State.Idle.IdleNoticeAt);

        Advance(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void Occasional_activity_keeps_the_instance_up_forever()
    {
        _story.StartServing();
        for (var i = 0; i < 50; i++)
        {
            Advance(Hour + Minute);
            _story.Handle(at => new Event.ActivitySeen(at));
        }
        Assert.Equal(0, _story.CountStarted<Effect.StopInstance>());
    }

    [Fact]
    public void Open_sessions_without_activity_do_not_keep_the_instance_up()
    {
        _story.StartServing().Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(3)));
        Advance(Hour + (3 * Minute));
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void The_idle_time_does_not_begin_before_the_app_has_served()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        _story.Advance(3 * Hour);   // a pull without end
        Assert.Null(_story.State.Idle.IdleNoticeAt);

        _story.CompleteFetch();
        CompleteUntil(() => _story.State.Front is ContainerState.Serving);
        Advance(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void The_instance_does_not_stop_within_the_grace_period_after_boot()
    {
        _story.Policy = Policy(new IdlePolicy { StopAfter = Minute, Grace = Hour, BootedAt = Moment.Zero - (10 * Minute) });
        _story.StartServing();
        Advance(49 * Minute);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void A_restart_of_the_agent_counts_as_activity()
    {
        _story.StartServing();
        Advance(Hour - Minute);
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().PassProbes();
        Advance(Hour - Minute);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Advance(4 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void A_stopped_app_does_not_keep_the_instance_up()
    {
        _story.StartServing();
        Advance(Hour - Minute);
        _story.Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        Advance(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);   // his command was activity
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void An_app_stopped_before_the_agent_restarted_does_not_keep_the_instance_up()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections().RestartAgent().CompleteInspection()
            .CompleteSecretsRead().CompleteResolve();
        Advance(Hour + (3 * Minute));
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void The_idle_stop_waits_for_a_pull_and_for_the_watch_of_its_image()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(62) };
        _story.StartServing().PassWatch();
        Advance(Hour - (10 * Minute));
        _story.Tag = Sample.NewerImage;
        CompleteAllBut<Effect.FetchImage>(_story.Policy.CheckInterval!.Value);
        Assert.True(_story.IsPending<Effect.FetchImage>());
        CompleteAllBut<Effect.FetchImage>(Hour);
        Assert.False(_story.IsPending<Effect.StopInstance>());

        Advance(_story.Policy.Watch - Second);
        Assert.Equal(Sample.NewerImage, _story.State.Front.Current?.Image);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        Advance(2 * Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void An_app_in_a_crash_loop_does_not_keep_the_instance_up()
    {
        _story.StartServing().PassWatch();
        for (var i = 0; i < 200 && !_story.IsPending<Effect.StopInstance>(); i++)
        {
            _story.Crash();
            if (!_story.IsPending<Effect.StopInstance>())
            {
                CompleteUntil(() => _story.State.Front is ContainerState.Serving || _story.IsPending<Effect.StopInstance>());
            }
        }
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.InRange(_story.Now - Moment.Zero, Hour, 2 * Hour);
    }

    [Fact]
    public void A_denied_instance_stop_is_a_problem_and_is_retried_with_growing_delays()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        DenyStop();

        Assert.Equal(Denied, _story.State.InstanceStop.Problem);
        Advance(20 * Minute, DenyStop);
        Assert.InRange(_story.CountStarted<Effect.StopInstance>(), 6, 9);
        Assert.True(_story.State.Front is ContainerState.Serving { Failures: 0 });
    }

    [Fact]
    public void Activity_after_a_denied_instance_stop_revokes_it_and_the_problem_stays()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        DenyStop();
        _story.Handle(at => new Event.ActivitySeen(at)).ForgetStartedEffects();

        Advance(Hour);

        Assert.Equal(0, _story.CountStarted<Effect.StopInstance>());
        Assert.Equal(Denied, _story.State.InstanceStop.Problem);
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void Nothing_begins_while_the_instance_stop_is_requested_or_accepted()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        _story.ForgetStartedEffects();
        _story.Handle(at => new Event.EngineChanged(at)).Advance(10 * Minute);
        Assert.Empty(_story.StartedEffects);

        AcceptStop();
        _story.Handle(at => new Event.ActivitySeen(at)).ObserveContainers().Advance(5 * Minute);
        Assert.Empty(_story.StartedEffects);
        Assert.EndsWith(
            " The instance is stopping.",
            Headline.Describe(_story.State, _story.Policy), StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_fail_while_the_instance_stops()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        AcceptStop();

        _story.Request(RequestKind.Update);

        Assert.Equal("instance-stopping", _story.State.Requests.LastOutcome!.Problem!.Code);
        Assert.Null(_story.State.Requests.Current);
    }

    [Fact]
    public void An_instance_that_stays_up_after_an_accepted_stop_requests_it_again()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        AcceptStop();

        _story.ForgetStartedEffects().Advance(10 * Minute);

        Assert.Equal("instance-still-up", _story.State.InstanceStop.Problem!.Code);
        Assert.True(_story.IsPending<Effect.Probe>());
        Advance(Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void An_instance_that_stayed_up_and_was_used_gives_notice_again()
    {
        _story.StartServing();
        Advance(Hour + (3 * Minute));
        AcceptStop();
        _story.Advance(9 * Minute).Handle(at => new Event.ActivitySeen(at)).Advance(Minute).ForgetStartedEffects();

        Advance(Hour - Minute);

        Assert.Equal((0, null), (_story.CountStarted<Effect.StopInstance>(), _story.State.Idle.IdleNoticeAt));
    }

    [Fact]
    public void A_notice_older_than_the_last_activity_does_not_count()
    {
        _story.Policy = Policy(new IdlePolicy { StopAfter = Minute });
        _story.StartServing().PassWatch();
        Advance(5 * Minute);
        AcceptStop();
        _story.Advance(8 * Minute).Handle(at => new Event.ActivitySeen(at)).Advance(2 * Minute).ForgetStartedEffects();
        Assert.Equal("instance-still-up", _story.State.InstanceStop.Problem!.Code);

        Advance(Minute - Second);

        Assert.Equal((0, _story.Now - (Minute - Second)), (_story.CountStarted<Effect.StopInstance>(), _story.State.Idle.IdleNoticeAt));
    }

    [Fact]
    public void The_idle_stop_waits_for_a_request_in_progress()
    {
        _story.StartServing().PassWatch().RequestUpdate();

        _story.Advance(3 * Hour);   // the registry hangs

        Assert.Null(_story.State.Idle.IdleNoticeAt);
        _story.CompleteSecretsRead().CompleteResolve();
        Advance(3 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void A_request_that_fails_at_once_still_counts_as_activity()
    {
        _story.StartServing();
        Advance(Hour + Minute);
        Assert.NotNull(_story.State.Idle.IdleNoticeAt);
        _story.Request(RequestKind.Unquarantine);
        Assert.Equal("nothing-quarantined", _story.State.Requests.LastOutcome?.Problem?.Code);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
    }

    [Fact]
    public void The_idle_stop_waits_for_a_short_engine_outage_but_not_for_a_long_one()
    {
        _story.StartServing().PassWatch();
        Advance((2 * Minute) + Hour - _story.Policy.Watch - Second);
        var stop = IdleStop.PlannedStop(_story.State, _story.Policy)!.Value.At;
        Assert.InRange(stop - _story.Now, TimeSpan.Zero, 2 * Second);
        _story.Crash().Handle(at => new Event.EngineDisconnected(at));
        void EngineIsAskedAgain() =>
            CompleteUntil(() => _story.IsPending<Effect.InspectEngine>() || _story.IsPending<Effect.StopInstance>());
        for (var i = 0; i < 2; i++)
        {
            EngineIsAskedAgain();
            _story.FailInspection();
        }

        EngineIsAskedAgain();
        Assert.True(_story.State.Front is ContainerState.Absent && _story.Now > stop);
        Assert.False(_story.IsPending<Effect.StopInstance>());

        _story.FailInspection();
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void After_the_maximum_uptime_the_instance_stops_even_if_it_is_used()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = 12 * Hour, BootedAt = Moment.Zero - Hour });
        _story.StartServing().Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(2)));
        for (var i = 0; i < (11 * 60) - 6; i++)
        {
            Advance(Minute);
            _story.Handle(at => new Event.ActivitySeen(at));
        }
        Assert.Null(_story.State.Idle.UptimeNoticeAt);
        Advance(Minute);
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);
        _story.Handle(at => new Event.ActivitySeen(at));
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);

        Advance((5 * Minute) - Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        Advance(Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void An_agent_that_starts_after_the_maximum_uptime_gives_notice_first()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = 12 * Hour, BootedAt = Moment.Zero - (100 * Hour) });
        _story.StartServing();
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);
        Advance((5 * Minute) - Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        Advance(Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());   // the image's watch is waited for
        Advance(6 * Minute);
        Assert.True(_story.IsPending<Effect.StopInstance>());
    }

    [Fact]
    public void The_uptime_stop_waits_for_work_in_progress_for_a_limited_time()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = Hour, BootedAt = Moment.Zero });
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();

        _story.Advance(Hour + (15 * Minute) - Second);
        Assert.False(_story.IsPending<Effect.StopInstance>());
        _story.Advance(Second);
        Assert.True(_story.IsPending<Effect.StopInstance>());   // a pull that hangs, for ever if need be
    }

    [Fact]
    public void The_planned_stop_is_known_in_advance()
    {
        Assert.Null(IdleStop.PlannedStop(_story.State, _story.Policy));
        _story.StartServing();
        Assert.Equal((Moment.Zero + Hour + (2 * Minute) + Second, false), IdleStop.PlannedStop(_story.State, _story.Policy));
        _story.Policy = Policy(new IdlePolicy { StopAfter = Hour, MaxUptime = Hour, BootedAt = Moment.Zero - (10 * Minute) });
        Assert.Equal((Moment.Zero + (50 * Minute), true), IdleStop.PlannedStop(_story.State, _story.Policy));
    }

    private static Policy Policy(IdlePolicy? idle) =>
        new() { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, Idle = idle };

    /// <summary>
    /// As <see cref="ContainerStory.AdvanceCompletingEffects"/>, and what EC2 is asked stays open, or is answered by <paramref
    /// name="ec2"/>.
    /// </summary>
    private void Advance(TimeSpan span, Action? ec2 = null)
    {
        var end = _story.Now + span;
        CompletePending(ec2);
        while (!_story.IsPending<Effect.StopInstance>() && Deadlines.Next(_story.State, _story.Policy) is { } next && next <= end)
        {
            _story.Advance(next - _story.Now);
            CompletePending(ec2);
        }
        if (!_story.IsPending<Effect.StopInstance>())
        {
            _story.Advance(end - _story.Now);
        }
    }

    private void CompletePending(Action? ec2) =>
        CompleteUntil(() => _story.PendingEffects.All(effect => effect is Effect.StopInstance && ec2 is null), ec2);

    private void CompleteAllBut<T>(TimeSpan span) where T : Effect
    {
        var end = _story.Now + span;
        void Answer() => CompleteUntil(() => _story.PendingEffects.All(effect => effect is T), keep: effect => effect is T);
        Answer();
        while (Deadlines.Next(_story.State, _story.Policy) is { } next && next <= end)
        {
            _story.Advance(next - _story.Now);
            Answer();
        }
        _story.Advance(end - _story.Now);
    }

    private void CompleteUntil(Func<bool> done, Action? ec2 = null, Func<Effect, bool>? keep = null)
    {
        while (!done())
        {
            if (ec2 is not null && _story.IsPending<Effect.StopInstance>())
            {
                ec2();
                continue;
            }
            _ = _story.PendingEffects.FirstOrDefault(effect => effect is not Effect.StopInstance && keep?.Invoke(effect) != true) switch
            {
                Effect.InspectEngine => _story.CompleteInspection(),
                Effect.ReadSecrets => _story.CompleteSecretsRead(),
                Effect.ResolveTag => _story.CompleteResolve(),
                Effect.FetchImage => _story.CompleteFetch(),
                Effect.StartContainer => _story.CompleteStart(),
                Effect.StopContainer => _story.CompleteStop(),
                Effect.CleanUpImages => _story.CompleteImageCleanup(),
                Effect.Probe => _story.PassProbe(),
                _ => _story.Advance(Deadlines.Next(_story.State, _story.Policy)!.Value - _story.Now),
            };
        }
    }

    private void DenyStop() => _story.CompleteInstanceStop(at => new Event.InstanceStopFailed(at, Denied));

    private void AcceptStop() => _story.CompleteInstanceStop(at => new Event.InstanceStopAccepted(at, "i-1"));
}
