using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What an inspection says about the container in front, and whose doing its end was.</summary>
public class FrontInspectionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_container_that_exited_and_is_being_removed_counts_as_removed_by_someone()
    {
        _story.StartServing().ObserveContainers(_story.CurrentContainer.Exited(137) with { Status = ContainerStatus.Removing });
        Assert.Equal("container-removed", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_container_that_is_being_removed_after_an_engine_restart_counts_as_removed_by_someone()
    {
        _story.StartServing().Handle(at => new Event.EngineDisconnected(at));

        _story.SetContainers(_story.CurrentContainer.Exited(0) with { Status = ContainerStatus.Removing }).CompleteInspections();

        Assert.Equal("container-removed", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_container_that_someone_paused_while_it_started_gets_no_strike()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        _story.ObserveContainers(_story.CurrentContainer with { Status = ContainerStatus.Paused });
        _story.FailProbe();
        while (_story.State.Front is ContainerState.Probing)
        {
            _story.Advance(_story.Policy.StartupInterval).CompleteInspections();
            _ = _story.IsPending<Effect.Probe>() ? _story.FailProbe() : _story;
        }
        Assert.IsType<StopReason.NeverHealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        Assert.Equal(new Verdict.OnTrial(Sample.NewImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void Removing_a_crashed_container_that_someone_started_again_does_not_hold_the_app()
    {
        _story.StartServing();
        var again = _story.CurrentContainer with { StartedAt = "2026-01-03T00:00:00Z" };
        _story.Crash().WaitOutBackoff();
        Assert.True(_story.IsPending<Effect.StartContainer>());
        _story.ObserveContainers(again).Handle(at => new Event.ExternalStopRequested(at, again.Id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_stop_that_the_engine_reports_after_its_own_restart_does_not_hold_the_app()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Handle(at => new Event.EngineDisconnected(at)).SetContainers(_story.CurrentContainer.Exited(0)).CompleteInspections();
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
        _story.Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_stop_that_is_reported_while_the_engine_goes_away_does_not_hold_the_app()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(0);
        _story.Handle(at => new Event.EngineDisconnected(at)).Handle(at => new Event.ExternalStopRequested(at, ended.Id));
        _story.SetContainers(ended).CompleteInspections();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_container_that_someone_stops_and_removes_is_created_again()
    {
        _story.StartServing().Handle(at => new Event.ExternalStopRequested(at, _story.CurrentContainer.Id));
        _story.SetContainers().CompleteInspections();
        Assert.Null(_story.State.Hold);
        Assert.Equal("container-removed", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_stop_of_one_container_holds_although_another_one_was_stopped_as_a_stray_meanwhile()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        var newer = Sample.RunningContainer("newer", Sample.Release(Sample.NewImage), "2026-01-03T00:00:00Z");
        var stray = Sample.RunningContainer("stray", Sample.Release(Sample.NewImage), "2026-01-02T00:00:00Z");
        _story.ObserveContainers(ended, newer, stray);
        Assert.Equal("stray", Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Container.Id);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id));
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
    }

    [Fact]
    public void After_a_stop_of_the_agents_own_another_container_that_is_alive_is_adopted_at_once()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        var stopping = _story.SinglePending<Effect.StopContainer>().Container;
        var other = Sample.RunningContainer("other", Sample.Release(Sample.NewImage), "2026-01-03T00:00:00Z");
        _story.RestartAgent().CompleteInspections();
        Assert.Equal(stopping.Id, _story.CurrentContainer.Id);
        _story.ObserveContainers(stopping.Exited(143), other);
        Assert.Equal("other", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        Assert.Null(_story.State.Failures.Last);
    }

    [Fact]
    public void While_a_container_is_being_started_one_that_is_seen_alive_is_not_adopted()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        var release = _story.SinglePending<Effect.StartContainer>().Release;
        _story.ObserveContainers(Sample.RunningContainer("half-started", release));
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
    }

    [Fact]
    public void While_the_front_is_being_stopped_a_second_container_is_left_alone()
    {
        _story.StartServing().Request(RequestKind.Stop);
        _story.ObserveContainers(_story.CurrentContainer, Sample.RunningContainer("stray", Sample.Release(Sample.OldImage)));
        Assert.Null(_story.State.Candidate);
        Assert.Single(_story.PendingEffects.OfType<Effect.StopContainer>());
    }

    [Fact]
    public void A_broken_image_stays_broken_although_the_engine_lists_it()
    {
        _story.CachedImages = [Sample.NewImage];
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch(Sample.ImageCorrupt);
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections().Advance(TimeSpan.FromSeconds(5));
        Assert.True(_story.SinglePending<Effect.FetchImage>().Replace);
    }
}
