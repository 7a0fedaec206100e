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
        _story.StartServing().ForgetStartedEffects().Handle(at => new Event.EngineChanged(at)).FailInspection();
        var container = _story.CurrentContainer;
        for (var minute = 0; minute < 30; minute++)
        {
            _story.Advance(TimeSpan.FromMinutes(1));
            if (_story.IsPending<Effect.InspectEngine>())
            {
                _story.FailInspection();
            }
            if (_story.IsPending<Effect.Probe>())
            {
                _story.PassProbe();
            }
        }
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(30));
        Assert.Equal(container, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        Assert.Equal(0, _story.CountStarted<Effect.StopContainer>());
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void What_failed_while_the_engine_was_away_is_asked_once_more_before_the_verdict()
    {
        FailDuringOutage();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.FailProbe("no answer");   // it began before the engine was back
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Advance(_story.Policy.LivenessInterval).FailProbe("no answer").CompleteInspections();
        Assert.IsType<StopReason.Unhealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_app_that_lived_on_while_its_port_was_away_with_the_engine_is_left_alone()
    {
        FailDuringOutage();
        _story.PassProbe();
        Assert.Equal(0, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        Assert.Equal(0, _story.CountStarted<Effect.StopContainer>());
    }

    private void FailDuringOutage()
    {
        _story.StartServing().Handle(at => new Event.EngineChanged(at)).FailInspection();
        for (var failure = 0; failure < 6; failure++)
        {
            _story.Advance(_story.Policy.LivenessInterval).FailProbe("no answer");
            if (_story.IsPending<Effect.InspectEngine>())
            {
                _story.FailInspection();
            }
        }
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Advance(_story.Policy.Retry.Max).CompleteInspection();
    }

    [Fact]
    public void A_startup_deadline_that_passed_while_the_engine_was_away_is_given_again()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().FailInspection();
        _story.Advance(_story.Policy.StartupDeadline * 2);
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.CompleteInspections();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.FailProbe().Advance(_story.Policy.StartupDeadline - TimeSpan.FromMilliseconds(1)).CompleteInspections();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.Advance(TimeSpan.FromMilliseconds(1)).CompleteInspections();
        Assert.IsType<StopReason.NeverHealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_engine_that_is_out_of_reach_at_a_start_makes_no_crash()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStart(Sample.EngineUnreachable);
        Assert.Equal(0, _story.State.Crashes);
        Assert.Null(_story.State.LastFailure);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void A_start_that_took_place_though_the_engine_got_lost_is_adopted_when_it_is_back()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Containers.Add(Sample.RunningContainer("made-it", _story.SinglePending<Effect.StartContainer>().Release));
        _story.FailStart(Sample.EngineUnreachable).Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.Equal("made-it", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        Assert.False(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void After_a_stop_that_failed_nothing_is_assumed_and_the_engine_is_asked()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStop(Sample.EngineUnreachable);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.False(_story.IsPending<Effect.InspectEngine>());
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection().PassProbes();
        Assert.Equal("left", _story.SinglePending<Effect.StopContainer>().Container.Id);
    }

    [Fact]
    public void An_engine_that_restarted_and_killed_the_app_is_a_crash_like_any_other()
    {
        _story.StartServing().Handle(at => new Event.EngineChanged(at)).FailInspection();
        var ended = _story.CurrentContainer.Exited(137);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
    }

    [Fact]
    public void A_stop_that_an_engine_refuses_again_and_again_is_asked_for_ever_more_rarely()
    {
        _story.StartServing().Request(RequestKind.Stop);
        var waited = TimeSpan.Zero;
        for (var failure = 0; failure < 10; failure++)
        {
            _story.FailStop(Sample.Refused);
            var failed = _story.Now;
            while (!_story.IsPending<Effect.StopContainer>())
            {
                _story.Advance(TimeSpan.FromSeconds(1));
                if (_story.IsPending<Effect.InspectEngine>())
                {
                    _story.CompleteInspection();
                }
            }
            waited = _story.Now - failed;
        }
        Assert.InRange(waited, TimeSpan.FromSeconds(10), _story.Policy.Retry.Max + TimeSpan.FromSeconds(1));
    }
}
