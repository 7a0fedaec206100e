using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Probes that failed while the engine was away prove nothing: the app is probed once more before anything is concluded.</summary>
public class ProbesAfterOutageTests
{
    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        LivenessInterval = TimeSpan.FromMinutes(2),
    });

    [Fact]
    public void An_app_that_failed_during_an_outage_is_probed_as_soon_as_the_engine_is_back()
    {
        FailDuringOutage(probes: 1);
        _story.RecoverEngine();
        Assert.True(_story.IsPending<Effect.Probe>());
    }

    [Fact]
    public void An_app_that_failed_often_during_an_outage_has_one_more_probe_to_pass()
    {
        FailDuringOutage(_story.Policy.LivenessFailures + 3);
        _story.RecoverEngine();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.FailProbe().CompleteInspections();
        Assert.IsType<StopReason.Unhealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void An_app_that_failed_once_during_an_outage_keeps_its_count()
    {
        FailDuringOutage(probes: 1);
        _story.RecoverEngine();
        Assert.Equal(1, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
    }

    [Fact]
    public void A_healthy_app_is_probed_after_an_outage_when_it_would_have_been_anyway()
    {
        _story.StartServing().LoseEngine().RecoverEngine();
        Assert.False(_story.IsPending<Effect.Probe>());
        Assert.Equal(0, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
    }

    [Fact]
    public void Where_one_failure_is_enough_a_failure_during_an_outage_is_not()
    {
        _story.Policy = _story.Policy with { LivenessFailures = 1 };
        FailDuringOutage(probes: 1);
        _story.Advance(_story.Policy.LivenessInterval);   // the next probe is in flight
        _ = _story.IsPending<Effect.InspectEngine>() ? _story : _story.Advance(TimeSpan.FromMinutes(1));
        _story.CompleteInspections();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_starting_app_within_its_deadline_gets_no_more_time_by_an_outage()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        var started = _story.Now;
        _story.FailProbe().Advance(_story.Policy.StartupDeadline / 2).LoseEngine().RecoverEngine();
        Assert.Equal(started, Assert.IsType<ContainerState.Probing>(_story.State.Front).Since);
    }

    [Fact]
    public void An_event_stream_that_broke_for_a_moment_counts_as_an_outage()
    {
        _story.StartServing().Advance(_story.Policy.LivenessInterval).FailProbe();
        _story.Handle(at => new Event.EngineDisconnected(at)).CompleteInspections();
        Assert.True(_story.IsPending<Effect.Probe>());
    }

    [Fact]
    public void A_startup_deadline_that_ends_in_the_moment_the_engine_is_back_begins_again()
    {
        var container = Sample.RunningContainer("front", Sample.Release(Sample.NewImage));
        var now = Moment.Zero + _story.Policy.StartupDeadline;
        var state = new AgentState
        {
            Now = now,
            Front = new ContainerState.Probing(container, Moment.Zero, ProbeKind.Startup, new ProbeSchedule(now, null), null,
                Adopted: false),
        };
        state = Inspection.Apply(state, new Inventory([container], "20.10"), afterTrouble: true, _story.Policy);
        Assert.Equal(now, Assert.IsType<ContainerState.Probing>(state.Front).Since);
    }

    [Fact]
    public void An_engine_that_took_too_long_once_counts_as_an_outage()
    {
        _story.StartServing().Advance(_story.Policy.LivenessInterval).FailProbe();
        _story.CompleteInspections().Handle(at => new Event.EngineChanged(at)).FailInspection(Sample.EngineSilent).RecoverEngine();
        Assert.True(_story.IsPending<Effect.Probe>());
    }

    private void FailDuringOutage(int probes)
    {
        _story.StartServing().LoseEngine();
        for (var failure = 0; failure < probes; failure++)
        {
            _story.Advance(_story.Policy.LivenessInterval).FailProbe("no answer");
            if (failure + 1 < probes && _story.IsPending<Effect.InspectEngine>())
            {
                _story.FailInspection();
            }
        }
    }
}
