using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>An engine that can't be reached says nothing about the container.</summary>
public class EngineOutageTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_engine_that_goes_and_comes_back_stops_nothing_that_serves()
    {
        _story.Serves().Forget().Hears(at => new Event.EngineChanged(at)).EngineFails();
        var container = _story.Current;
        for (var minute = 0; minute < 30; minute++)
        {
            _story.Passes(TimeSpan.FromMinutes(1));
            if (_story.Has<Effect.InspectEngine>())
            {
                _story.EngineFails();
            }
            if (_story.Has<Effect.Probe>())
            {
                _story.ProbePasses();
            }
        }
        _story.PassesQuietly(TimeSpan.FromMinutes(30));
        Assert.Equal(container, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        Assert.Equal(0, _story.CountBegun<Effect.StopContainer>());
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void What_failed_while_the_engine_was_away_is_asked_once_more_before_the_verdict()
    {
        FailsWhileTheEngineIsAway();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.ProbeFails("no answer");   // it began before the engine was back
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Passes(_story.Policy.LivenessInterval).ProbeFails("no answer").EngineIsSeen();
        Assert.IsType<StopReason.Unhealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_app_that_lived_on_while_its_port_was_away_with_the_engine_is_left_alone()
    {
        FailsWhileTheEngineIsAway();
        _story.ProbePasses();
        Assert.Equal(0, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        Assert.Equal(0, _story.CountBegun<Effect.StopContainer>());
    }

    private void FailsWhileTheEngineIsAway()
    {
        _story.Serves().Hears(at => new Event.EngineChanged(at)).EngineFails();
        for (var failure = 0; failure < 6; failure++)
        {
            _story.Passes(_story.Policy.LivenessInterval).ProbeFails("no answer");
            if (_story.Has<Effect.InspectEngine>())
            {
                _story.EngineFails();
            }
        }
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Passes(_story.Policy.Retry.Max).EngineAnswers();
    }

    [Fact]
    public void A_startup_deadline_that_passed_while_the_engine_was_away_is_given_again()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().Starts().EngineFails();
        _story.Passes(_story.Policy.StartupDeadline * 2);
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.EngineAnswers();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.ProbeFails().Passes(_story.Policy.StartupDeadline).EngineIsSeen();
        Assert.IsType<StopReason.NeverHealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_engine_that_is_out_of_reach_at_a_start_makes_no_crash()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().StartFails(Sample.Unreachable);
        Assert.Equal(0, _story.State.Crashes);
        Assert.Null(_story.State.LastFailure);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        _story.Passes(TimeSpan.FromSeconds(2)).EngineAnswers();
        Assert.True(_story.Has<Effect.StartContainer>());
    }

    [Fact]
    public void A_start_that_took_place_though_the_engine_got_lost_is_adopted_when_it_is_back()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        _story.Engine.Add(Sample.Running("made-it", _story.PendingOne<Effect.StartContainer>().Release));
        _story.StartFails(Sample.Unreachable).Passes(TimeSpan.FromSeconds(2)).EngineAnswers();
        Assert.Equal("made-it", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        Assert.False(_story.Has<Effect.StartContainer>());
    }

    [Fact]
    public void After_a_stop_that_failed_nothing_is_assumed_and_the_engine_is_asked()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)));
        _story.Boots().EngineAnswers().ProvesItself().SecretsAnswer().TagAnswers().ImageAnswers().StopFails(Sample.Unreachable);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.False(_story.Has<Effect.InspectEngine>());
        _story.Passes(TimeSpan.FromSeconds(2)).EngineAnswers().ProvesItself();
        Assert.Equal("left", _story.PendingOne<Effect.StopContainer>().Container.Id);
    }

    [Fact]
    public void An_engine_that_restarted_and_killed_the_app_is_a_crash_like_any_other()
    {
        _story.Serves().Hears(at => new Event.EngineChanged(at)).EngineFails();
        var ended = _story.Current.Ended(137);
        _story.Engine.Clear();
        _story.Engine.Add(ended);
        _story.Passes(TimeSpan.FromSeconds(2)).EngineAnswers();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
    }

    [Fact]
    public void A_stop_that_an_engine_refuses_again_and_again_is_asked_for_ever_more_rarely()
    {
        _story.Serves().IsAskedTo(RequestKind.Stop);
        var waited = TimeSpan.Zero;
        for (var failure = 0; failure < 10; failure++)
        {
            _story.StopFails(Sample.Refused);
            var failed = _story.Now;
            while (!_story.Has<Effect.StopContainer>())
            {
                _story.Passes(TimeSpan.FromSeconds(1));
                if (_story.Has<Effect.InspectEngine>())
                {
                    _story.EngineAnswers();
                }
            }
            waited = _story.Now - failed;
        }
        Assert.InRange(waited, TimeSpan.FromSeconds(10), _story.Policy.Retry.Max + TimeSpan.FromSeconds(1));
    }
}
