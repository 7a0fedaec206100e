using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>An instance that nobody uses stops itself: after a notice that anybody can take back, and never in the middle of something.</summary>
public class IdleStopTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly Problem Denied = new("aws-denied", "Denied.", "Allow it.");

    private readonly ContainerStory _story = new(Policy(new IdlePolicy { StopAfter = Hour, Grace = TimeSpan.FromMinutes(30) }));

    [Fact]
    public void Nobody_comes_for_as_long_as_configured_then_comes_the_notice_then_the_stop()
    {
        _story.Serves();
        Passes(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Passes(2 * Second);
        Assert.NotNull(_story.State.Idle.IdleNoticeAt);

        Passes((2 * Minute) - (3 * Second));
        Assert.False(_story.Has<Effect.StopInstance>());
        Passes(3 * Second);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void Without_the_setting_it_never_happens()
    {
        _story.Policy = Policy(null);
        _story.Serves();
        Passes(100 * Hour);
        Assert.Equal(0, _story.CountBegun<Effect.StopInstance>());
    }

    [Fact]
    public void A_visit_takes_the_notice_back_and_the_time_begins_anew()
    {
        _story.Serves();
        Passes(Hour + Minute);
        Assert.NotNull(_story.State.Idle.IdleNoticeAt);

        _story.Hears(at => new Event.ActivitySeen(at));
        Assert.Null(_story.State.Idle.IdleNoticeAt);

        Passes(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void Who_comes_now_and_then_keeps_it_up_for_ever()
    {
        _story.Serves();
        for (var i = 0; i < 50; i++)
        {
            Passes(Hour + Minute);
            _story.Hears(at => new Event.ActivitySeen(at));
        }
        Assert.Equal(0, _story.CountBegun<Effect.StopInstance>());
    }

    [Fact]
    public void Open_sessions_of_which_nothing_is_heard_do_not()
    {
        _story.Serves().Hears(at => new Event.SessionsChanged(at, 3));
        Passes(Hour + (3 * Minute));
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void It_does_not_begin_before_the_app_has_served()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers();
        _story.Passes(3 * Hour);   // a pull without end
        Assert.Null(_story.State.Idle.IdleNoticeAt);

        _story.ImageAnswers();
        AnswerUntil(() => _story.State.Front is ContainerState.Serving);
        Passes(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void Nor_before_the_grace_since_the_boot_is_over()
    {
        _story.Policy = Policy(new IdlePolicy { StopAfter = Minute, Grace = Hour, BootedAt = Moment.Zero - (10 * Minute) });
        _story.Serves();
        Passes(49 * Minute);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void A_restart_of_the_agent_counts_as_activity()
    {
        _story.Serves();
        Passes(Hour - Minute);
        _story.LivesAgain().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().ProvesItself();
        Passes(Hour - Minute);
        Assert.Null(_story.State.Idle.IdleNoticeAt);
        Passes(4 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void An_app_that_an_operator_stopped_costs_as_much_as_one_that_serves()
    {
        _story.Serves();
        Passes(Hour - Minute);
        _story.IsAskedTo(RequestKind.Stop).Stops().EngineIsSeen();
        Passes(Hour);
        Assert.Null(_story.State.Idle.IdleNoticeAt);   // his command was activity
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void So_does_one_that_was_stopped_before_this_life_of_the_agent()
    {
        _story.Serves().IsAskedTo(RequestKind.Stop).Stops().EngineIsSeen().LivesAgain().EngineAnswers().SecretsAnswer().TagAnswers();
        Passes(Hour + (3 * Minute));
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void A_pull_is_waited_for_and_so_is_the_watch_of_what_it_brought()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(62) };
        _story.Serves().IsProven();
        Passes(Hour - (10 * Minute));
        _story.Tag = Sample.Newer;
        AnswerAllBut<Effect.FetchImage>(_story.Policy.CheckInterval!.Value);
        Assert.True(_story.Has<Effect.FetchImage>());
        AnswerAllBut<Effect.FetchImage>(Hour);
        Assert.False(_story.Has<Effect.StopInstance>());

        Passes(_story.Policy.Watch - Second);
        Assert.Equal(Sample.Newer, _story.State.Front.Current?.Image);
        Assert.False(_story.Has<Effect.StopInstance>());
        Passes(2 * Second);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void An_app_in_a_crash_loop_does_not_keep_it_up_for_ever()
    {
        _story.Serves().IsProven();
        for (var i = 0; i < 200 && !_story.Has<Effect.StopInstance>(); i++)
        {
            _story.Crashes();
            if (!_story.Has<Effect.StopInstance>())
            {
                AnswerUntil(() => _story.State.Front is ContainerState.Serving || _story.Has<Effect.StopInstance>());
            }
        }
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.InRange(_story.Now - Moment.Zero, Hour, 2 * Hour);
    }

    [Fact]
    public void A_stop_that_is_denied_is_a_problem_and_asked_for_again_with_growing_delays()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        Denies();

        Assert.Equal(Denied, _story.State.InstanceStop.Problem);
        Passes(20 * Minute, Denies);
        Assert.InRange(_story.CountBegun<Effect.StopInstance>(), 6, 9);
        Assert.True(_story.State.Front is ContainerState.Serving { Failures: 0 });
    }

    [Fact]
    public void Who_comes_after_it_was_denied_takes_it_back_and_the_problem_stays_told()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        Denies();
        _story.Hears(at => new Event.ActivitySeen(at)).Forget();

        Passes(Hour);

        Assert.Equal(0, _story.CountBegun<Effect.StopInstance>());
        Assert.Equal(Denied, _story.State.InstanceStop.Problem);
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void While_it_is_asked_for_and_after_EC2s_yes_nothing_else_is_begun()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        _story.Forget();
        _story.Hears(at => new Event.EngineChanged(at)).Passes(10 * Minute);
        Assert.Empty(_story.Begun);

        Accepts();
        _story.Hears(at => new Event.ActivitySeen(at)).EngineShows().Passes(5 * Minute);
        Assert.Empty(_story.Begun);
        Assert.Equal("The instance is being stopped.", Headline.Describe(_story.State, _story.Policy)[^"The instance is being stopped.".Length..]);
    }

    [Fact]
    public void Who_asks_for_something_then_is_told_so()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        Accepts();

        _story.IsAskedTo(RequestKind.Update);

        Assert.Equal("instance-stopping", _story.State.LastOutcome!.Problem!.Code);
        Assert.Null(_story.State.Request);
    }

    [Fact]
    public void A_machine_that_stays_up_all_the_same_is_told_and_goes_on_and_asks_again()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        Accepts();

        _story.Forget().Passes(10 * Minute);

        Assert.Equal("instance-still-up", _story.State.InstanceStop.Problem!.Code);
        Assert.True(_story.Has<Effect.Probe>());
        Passes(Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void One_that_was_visited_meanwhile_gives_notice_anew()
    {
        _story.Serves();
        Passes(Hour + (3 * Minute));
        Accepts();
        _story.Passes(9 * Minute).Hears(at => new Event.ActivitySeen(at)).Passes(Minute).Forget();

        Passes(Hour - Minute);

        Assert.Equal((0, null), (_story.CountBegun<Effect.StopInstance>(), _story.State.Idle.IdleNoticeAt));
    }

    [Fact]
    public void A_notice_from_before_a_visit_is_none_also_when_that_was_as_long_ago_by_then()
    {
        _story.Policy = Policy(new IdlePolicy { StopAfter = Minute });
        _story.Serves().IsProven();
        Passes(5 * Minute);
        Accepts();
        _story.Passes(8 * Minute).Hears(at => new Event.ActivitySeen(at)).Passes(2 * Minute).Forget();
        Assert.Equal("instance-still-up", _story.State.InstanceStop.Problem!.Code);

        Passes(Minute - Second);

        Assert.Equal((0, _story.Now - (Minute - Second)), (_story.CountBegun<Effect.StopInstance>(), _story.State.Idle.IdleNoticeAt));
    }

    [Fact]
    public void A_command_is_waited_for_until_it_has_its_answer()
    {
        _story.Serves().IsProven().IsAskedToUpdate();

        _story.Passes(3 * Hour);   // the registry hangs

        Assert.Null(_story.State.Idle.IdleNoticeAt);
        _story.SecretsAnswer().TagAnswers();
        Passes(3 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void A_restart_that_waits_for_the_engine_for_a_moment_is_waited_for_and_an_engine_that_stays_away_is_not()
    {
        _story.Serves().IsProven();
        Passes((2 * Minute) + Hour - _story.Policy.Watch - Second);
        var stop = IdleStop.PlannedStop(_story.State, _story.Policy)!.Value.At;
        Assert.InRange(stop - _story.Now, TimeSpan.Zero, 2 * Second);
        _story.Crashes().Hears(at => new Event.EngineDisconnected(at));
        void EngineIsAskedAgain() => AnswerUntil(() => _story.Has<Effect.InspectEngine>() || _story.Has<Effect.StopInstance>());
        for (var i = 0; i < 2; i++)
        {
            EngineIsAskedAgain();
            _story.EngineFails();
        }

        EngineIsAskedAgain();
        Assert.True(_story.State.Front is ContainerState.Absent && _story.Now > stop);
        Assert.False(_story.Has<Effect.StopInstance>());

        _story.EngineFails();
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void Up_for_too_long_it_is_stopped_with_its_visitors_after_a_notice()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = 12 * Hour, BootedAt = Moment.Zero - Hour });
        _story.Serves().Hears(at => new Event.SessionsChanged(at, 2));
        for (var i = 0; i < (11 * 60) - 6; i++)
        {
            Passes(Minute);
            _story.Hears(at => new Event.ActivitySeen(at));
        }
        Assert.Null(_story.State.Idle.UptimeNoticeAt);
        Passes(Minute);
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);
        _story.Hears(at => new Event.ActivitySeen(at));
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);

        Passes((5 * Minute) - Second);
        Assert.False(_story.Has<Effect.StopInstance>());
        Passes(Second);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void An_agent_that_begins_after_that_time_gives_its_notice_first()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = 12 * Hour, BootedAt = Moment.Zero - (100 * Hour) });
        _story.Serves();
        Assert.NotNull(_story.State.Idle.UptimeNoticeAt);
        Passes((5 * Minute) - Second);
        Assert.False(_story.Has<Effect.StopInstance>());
        Passes(Second);
        Assert.False(_story.Has<Effect.StopInstance>());   // the image's watch is waited for
        Passes(6 * Minute);
        Assert.True(_story.Has<Effect.StopInstance>());
    }

    [Fact]
    public void Of_what_is_under_way_only_so_long_is_waited_for()
    {
        _story.Policy = Policy(new IdlePolicy { MaxUptime = Hour, BootedAt = Moment.Zero });
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers();

        _story.Passes(Hour + (15 * Minute) - Second);
        Assert.False(_story.Has<Effect.StopInstance>());
        _story.Passes(Second);
        Assert.True(_story.Has<Effect.StopInstance>());   // a pull that hangs, for ever if need be
    }

    [Fact]
    public void When_it_will_be_is_foreseen()
    {
        Assert.Null(IdleStop.PlannedStop(_story.State, _story.Policy));
        _story.Serves();
        Assert.Equal((Moment.Zero + Hour + (2 * Minute) + Second, false), IdleStop.PlannedStop(_story.State, _story.Policy));
        _story.Policy = Policy(new IdlePolicy { StopAfter = Hour, MaxUptime = Hour, BootedAt = Moment.Zero - (10 * Minute) });
        Assert.Equal((Moment.Zero + (50 * Minute), true), IdleStop.PlannedStop(_story.State, _story.Policy));
    }

    private static Policy Policy(IdlePolicy? idle) => new() { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, Idle = idle };

    /// <summary>As <see cref="ContainerStory.PassesQuietly"/>, and what EC2 is asked stays open, or is answered by <paramref name="ec2"/>.</summary>
    private void Passes(TimeSpan span, Action? ec2 = null)
    {
        var end = _story.Now + span;
        Quietly(ec2);
        while (!_story.Has<Effect.StopInstance>() && Deadlines.Next(_story.State, _story.Policy) is { } next && next <= end)
        {
            _story.Passes(next - _story.Now);
            Quietly(ec2);
        }
        if (!_story.Has<Effect.StopInstance>())
        {
            _story.Passes(end - _story.Now);
        }
    }

    private void Quietly(Action? ec2) => AnswerUntil(() => _story.Pending.All(effect => effect is Effect.StopInstance && ec2 is null), ec2);

    private void AnswerAllBut<T>(TimeSpan span) where T : Effect
    {
        var end = _story.Now + span;
        void Answer() => AnswerUntil(() => _story.Pending.All(effect => effect is T), keep: effect => effect is T);
        Answer();
        while (Deadlines.Next(_story.State, _story.Policy) is { } next && next <= end)
        {
            _story.Passes(next - _story.Now);
            Answer();
        }
        _story.Passes(end - _story.Now);
    }

    private void AnswerUntil(Func<bool> done, Action? ec2 = null, Func<Effect, bool>? keep = null)
    {
        while (!done())
        {
            if (ec2 is not null && _story.Has<Effect.StopInstance>())
            {
                ec2();
                continue;
            }
            _ = _story.Pending.FirstOrDefault(effect => effect is not Effect.StopInstance && keep?.Invoke(effect) != true) switch
            {
                Effect.InspectEngine => _story.EngineAnswers(),
                Effect.ReadSecrets => _story.SecretsAnswer(),
                Effect.ResolveTag => _story.TagAnswers(),
                Effect.FetchImage => _story.ImageAnswers(),
                Effect.StartContainer => _story.Starts(),
                Effect.StopContainer => _story.Stops(),
                Effect.CleanUpImages => _story.Collects(),
                Effect.Probe => _story.ProbePasses(),
                _ => _story.Passes(Deadlines.Next(_story.State, _story.Policy)!.Value - _story.Now),
            };
        }
    }

    private void Denies() => _story.AnswersStop(at => new Event.InstanceStopFailed(at, Denied));

    private void Accepts() => _story.AnswersStop(at => new Event.InstanceStopAccepted(at, "i-1"));
}
