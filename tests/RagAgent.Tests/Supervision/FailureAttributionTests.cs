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
    public void A_stop_by_hand_that_is_told_after_the_end_was_seen_holds_all_the_same()
    {
        _story.StartServing().ForgetStartedEffects();
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(Hold.DockerStop, _story.State.Hold);
        Assert.Null(_story.State.LastFailure);
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(1));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void It_holds_also_when_the_next_start_has_begun()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).WaitOutBackoff().Handle(at => new Event.ExternalStopRequested(at, id)).CompleteStart().CompleteInspections();
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void And_is_held_against_no_image()
    {
        DeployNewer();
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void A_failure_before_it_is_what_people_see_again()
    {
        _story.StartServing().Crash(3).RestartAfterBackoff();
        var crash = _story.State.LastFailure;
        StopWithDockerAfterExitIsSeen();
        Assert.Equal(crash, _story.State.LastFailure);
    }

    [Fact]
    public void Told_twice_it_does_not_undo_a_start_that_somebody_asked_for_meanwhile()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        StopWithDockerAfterExitIsSeen();
        _story.Request(RequestKind.Start).Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void Nor_does_the_agents_own_stop_of_one_that_somebody_started_again()
    {
        _story.StartServing();
        var again = _story.CurrentContainer with { StartedAt = "2026-02-02T00:00:00Z" };
        _story.Crash().ObserveContainers(again);
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        _story.Handle(at => new Event.ExternalStopRequested(at, again.Id)).CompleteStop().CompleteInspections();
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void Nor_does_the_agents_own_removal_of_what_a_crash_left_behind()
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
    public void A_stop_that_is_told_long_after_an_end_is_not_its_cause()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash().Advance(TimeSpan.FromSeconds(31)).Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void What_an_engine_ended_before_it_was_gone_itself_is_its_own_doing_and_no_strike()
    {
        DeployNewer().Crash(0).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
        Assert.Equal("app-ended-with-engine", Assert.IsType<ContainerState.BackingOff>(_story.State.Front).Cause.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void Also_when_it_told_of_a_stop_that_nobody_else_had_asked_for()
    {
        DeployNewer();
        StopWithDockerAfterExitIsSeen();
        _story.Handle(at => new Event.EngineChanged(at)).FailInspection();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void A_rollback_that_followed_from_it_is_called_off()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().Crash();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 4, 1), _story.State.Verdict);
        // The start that has begun comes to its end first.
        _story.FailStart(Sample.EngineUnreachable).CompleteInspections().RereadSecrets().Advance(TimeSpan.FromMinutes(1)).CompleteInspections();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void And_so_are_the_probes_that_failed_while_the_engine_was_going()
    {
        DeployNewer().Advance(_story.Policy.Watch / 2);
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Advance(_story.Policy.LivenessInterval).FailProbe().CompleteInspections();
        }
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 3, 1), _story.State.Verdict);
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void A_crash_of_longer_standing_stays_one()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(31)).Handle(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Verdict);
    }

    [Fact]
    public void An_engine_that_only_takes_too_long_has_ended_nothing()
    {
        DeployNewer().Handle(at => new Event.EngineChanged(at)).FailInspection(Sample.EngineSilent);
        var ended = _story.CurrentContainer.Exited(1);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Verdict);
    }

    [Fact]
    public void And_a_stop_by_hand_meanwhile_holds()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id)).FailInspection(Sample.EngineSilent);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal(Hold.DockerStop, _story.State.Hold);
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
