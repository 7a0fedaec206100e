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
    public void An_engine_outage_does_not_stop_a_serving_container()
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
    public void After_an_engine_outage_a_failing_app_gets_one_more_probe()
    {
        FailDuringOutage();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.FailProbe("no answer");   // it began before the engine was back
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Advance(_story.Policy.LivenessInterval).FailProbe("no answer").CompleteInspections();
        Assert.IsType<StopReason.Unhealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_app_that_survived_an_engine_outage_is_left_alone()
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
    public void A_startup_deadline_that_passed_during_an_engine_outage_starts_over()
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
    public void A_start_that_cannot_reach_the_engine_is_not_a_crash()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStart(Sample.EngineUnreachable);
        Assert.Equal(0, _story.State.Failures.Crashes);
        Assert.Null(_story.State.Failures.Last);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void A_start_that_takes_the_engine_too_long_is_not_a_crash()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStart(Sample.EngineSilent);
        Assert.Equal(0, _story.State.Failures.Crashes);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
    }

    [Fact]
    public void A_candidate_whose_start_never_reached_the_engine_is_dropped()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.EngineUnreachable);
        Assert.Null(_story.State.Candidate);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_successful_stop_clears_the_count_of_failed_stops()
    {
        _story.StartServing().Request(RequestKind.Stop).FailStop(Sample.Refused);
        Assert.Equal(1, _story.State.Evidence.FailedStops);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections().CompleteStop();
        Assert.Equal(0, _story.State.Evidence.FailedStops);
    }

    [Fact]
    public void A_start_that_succeeded_during_an_engine_outage_is_adopted_afterwards()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Containers.Add(Sample.RunningContainer("made-it", _story.SinglePending<Effect.StartContainer>().Release));
        _story.FailStart(Sample.EngineUnreachable).Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.Equal("made-it", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        Assert.False(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void After_a_failed_stop_the_engine_is_inspected()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch()
            .FailStop(Sample.EngineUnreachable);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
        Assert.False(_story.IsPending<Effect.InspectEngine>());
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection().PassProbes();
        Assert.Equal("left", _story.SinglePending<Effect.StopContainer>().Container.Id);
    }

    [Fact]
    public void An_app_killed_by_an_engine_restart_backs_off_as_after_any_crash()
    {
        _story.StartServing().Handle(at => new Event.EngineChanged(at)).FailInspection();
        var ended = _story.CurrentContainer.Exited(137);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
    }

    [Fact]
    public void A_stop_that_the_engine_keeps_refusing_is_retried_with_growing_delays()
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
