using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Who was behind the end of a container may come out after it was seen: what was concluded too early is taken back.</summary>
public class FailureAttributionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_docker_stop_reported_after_the_end_of_the_container_still_holds()
    {
        _story.StartServing().ForgetStartedEffects();
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
        Assert.Null(_story.State.Failures.Last);
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(1));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void A_docker_stop_reported_after_the_next_start_has_begun_still_holds()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).WaitOutBackoff().Handle(at => new Event.ExternalStopRequested(at, id)).CompleteStart().CompleteInspections();
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_docker_stop_is_not_a_strike_against_the_image()
    {
        DeployNewer();
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void After_a_docker_stop_the_failure_before_it_is_shown_again()
    {
        _story.StartServing().Crash(3).RestartAfterBackoff();
        var crash = _story.State.Failures.Last;
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(crash, _story.State.Failures.Last);
    }

    [Fact]
    public void A_docker_stop_reported_twice_does_not_undo_a_later_start()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        StopWithDockerAfterExitIsSeen();
        _story.Request(RequestKind.Start).Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void The_agents_stop_of_a_restarted_container_is_not_taken_for_a_docker_stop()
    {
        _story.StartServing();
        var again = _story.CurrentContainer with { StartedAt = "2026-02-02T00:00:00Z" };
        _story.Crash().ObserveContainers(again);
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        _story.Handle(at => new Event.ExternalStopRequested(at, again.Id)).CompleteStop().CompleteInspections();
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void The_agents_removal_of_a_crashed_container_is_not_taken_for_a_docker_stop()
    {
        var story = new ContainerStory(new Policy { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, StartFirst = true });
        story.StartServing();
        var crashed = story.CurrentContainer.Exited(1);
        var other = Sample.RunningContainer("other", Sample.Release(Sample.NewImage));
        story.ObserveContainers(crashed, other);
        Assert.IsType<StopReason.LeftOver>(Assert.IsType<ContainerState.Stopping>(story.State.Candidate).Reason);
        story.Handle(at => new Event.ExternalStopRequested(at, crashed.Id));
        Assert.Null(story.State.Hold);
    }

    [Fact]
    public void A_stop_reported_long_after_an_end_is_not_its_cause()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash().Advance(TimeSpan.FromSeconds(31)).Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_container_that_ended_just_before_the_engine_is_no_strike()
    {
        DeployNewer().Crash(0).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
        Assert.Equal("app-ended-with-engine", Assert.IsType<ContainerState.BackingOff>(_story.State.Front).Cause.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_docker_stop_reported_by_a_stopping_engine_does_not_hold_the_app()
    {
        DeployNewer();
        StopWithDockerAfterExitIsSeen();
        _story.Handle(at => new Event.EngineChanged(at)).FailInspection();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_rollback_caused_by_a_stopping_engine_is_reverted()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().Crash();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 4, 1), _story.State.Images.Verdict);
        // The start that has begun comes to its end first.
        _story.FailStart(Sample.EngineUnreachable).CompleteInspections().RereadSecrets().Advance(TimeSpan.FromMinutes(1))
            .CompleteInspections();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_strike_for_probes_of_a_stopping_engine_is_reverted()
    {
        DeployNewer().Advance(_story.Policy.Watch / 2);
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Advance(_story.Policy.LivenessInterval).FailProbe().CompleteInspections();
        }
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 3, 1), _story.State.Images.Verdict);
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_crash_long_before_an_engine_outage_stays_a_crash()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(31)).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_slow_engine_is_not_blamed_for_the_end_of_a_container()
    {
        DeployNewer().Handle(at => new Event.EngineChanged(at)).FailInspection(Sample.EngineSilent);
        var ended = _story.CurrentContainer.Exited(1);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_docker_stop_while_the_engine_is_slow_holds()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id)).FailInspection(Sample.EngineSilent);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    private ContainerStory DeployNewer() => _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap();

    private void StopWithDockerAfterExitIsSeen()
    {
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).Handle(at => new Event.ExternalStopRequested(at, id));
        _story.CompleteInspections();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }
}
