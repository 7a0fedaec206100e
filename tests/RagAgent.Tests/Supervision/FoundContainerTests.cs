using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which of several containers is taken over, and what is learned from it.</summary>
public class FoundContainerTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void Of_two_containers_the_one_whose_stop_was_requested_is_not_taken_over()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().SwapToCandidate(Sample.NewerImage);
        var serving = _story.CurrentContainer;
        _story.CompleteDrain().RestartAgent().CompleteInspection();
        Assert.Equal(serving.Id, _story.CurrentContainer.Id);
    }

    [Theory]
    [InlineData(true, "older")]
    [InlineData(false, "newer")]
    public void Where_two_may_run_the_older_one_is_kept_otherwise_the_newer_one(bool startFirst, string kept)
    {
        foreach (var isReversed in new[] { false, true })
        {
            var story = new ContainerStory(_story.Policy with { StartFirst = startFirst });
            story.Containers.Add(Sample.RunningContainer("older", Sample.Release(Sample.NewImage), "2026-01-01T00:00:00Z"));
            story.Containers.Add(Sample.RunningContainer("newer", Sample.Release(Sample.NewImage), "2026-01-02T00:00:00Z"));
            if (isReversed)
            {
                story.Containers.Reverse();
            }
            story.Boot().CompleteInspection();
            Assert.Equal(kept, story.CurrentContainer.Id);
        }
    }

    [Fact]
    public void A_container_that_someone_starts_while_an_operator_holds_the_app_is_stopped_again()
    {
        _story.StartServing().Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        _story.ObserveContainers(Sample.RunningContainer("other", Sample.Release(Sample.NewImage)));
        Assert.Equal(StopHold.Operator, _story.State.Hold);
        Assert.Equal("other", _story.SinglePending<Effect.StopContainer>().Container.Id);
    }

    [Fact]
    public void A_container_of_ours_that_someone_restarts_while_an_operator_holds_the_app_ends_no_hold()
    {
        _story.StartServing();
        var ours = _story.CurrentContainer;
        _story.Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        _story.ObserveContainers(ours with { StartedAt = "2026-01-03T00:00:00Z" });
        Assert.Equal(StopHold.Operator, _story.State.Hold);
    }

    [Fact]
    public void A_new_container_that_someone_starts_after_docker_stop_ends_the_hold()
    {
        _story.StartServing().Handle(at => new Event.ExternalStopRequested(at, _story.CurrentContainer.Id));
        _story.SetContainers(_story.CurrentContainer.Exited(143)).CompleteInspections();
        Assert.Equal(StopHold.DockerStop, _story.State.Hold);
        _story.ObserveContainers(Sample.RunningContainer("other", Sample.Release(Sample.NewImage)));
        Assert.Null(_story.State.Hold);
        Assert.Equal("other", Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
    }

    [Fact]
    public void The_image_of_a_container_that_was_found_is_started_again_when_the_registry_is_away()
    {
        _story.StartServing().PassWatch();
        _story.ObserveContainers(_story.CurrentContainer.Exited(1), Sample.RunningContainer("other", Sample.Release(Sample.OldImage)));
        Assert.Equal(Sample.OldImage, _story.State.Images.LastRun);
        _story.ObserveContainers(_story.CurrentContainer.Exited(1),
            Sample.RunningContainer("unlabelled", Sample.Release(Sample.NewImage)) with { Image = null });
        Assert.Equal(Sample.OldImage, _story.State.Images.LastRun);
    }

    [Fact]
    public void An_unproven_image_that_is_found_running_is_on_trial()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage)));
        _story.Boot().CompleteInspection();
        Assert.Equal(new Verdict.OnTrial(Sample.NewImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_container_that_was_taken_over_and_restarted_while_the_agent_was_down_is_replaced()
    {
        var left = Sample.RunningContainer("left", Sample.Release(Sample.NewImage));
        _story.Containers.Add(left);
        _story.Boot().CompleteInspection().PassProbes();
        _story.SetContainers(left with { StartedAt = "2026-01-03T00:00:00Z" }).RestartAgent().CompleteInspection();
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Theory]
    [InlineData("good", "bad", "bad", true)]
    [InlineData("good", "bad", null, true)]
    [InlineData("good", "bad", "newer", false)]
    [InlineData("bad", "bad", "bad", false)]
    public void Labels_tell_an_agent_without_notes_which_image_was_set_aside(string lastGood, string avoided, string? tag, bool isSetAside)
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.Image(lastGood))) with
        {
            LastGood = Sample.Image(lastGood),
            Avoided = Sample.Image(avoided),
        });
        _story.RestartAgent(keepState: false);
        if (tag is not null)
        {
            _story.Tag = Sample.Image(tag);
            _story.CompleteResolve();
        }
        _story.CompleteInspection();
        Assert.Equal(isSetAside ? Sample.Image(avoided) : null, (_story.State.Images.Verdict as Verdict.Quarantined)?.Image);
        Assert.Equal([Sample.Image(lastGood)], _story.State.Images.KnownGood);
    }

    [Fact]
    public void The_labels_of_the_container_that_runs_count_more_than_those_of_a_newer_one_that_ended()
    {
        Assert.Equal([Sample.Image("of-running")], KnownGoodFrom(
            Labelled("running", "2026-01-01T00:00:00Z", "of-running"),
            Labelled("ended", "2026-01-02T00:00:00Z", "of-ended").Exited(1)));
    }

    [Fact]
    public void Of_several_containers_that_ended_the_labels_of_the_newest_one_count()
    {
        Assert.Equal([Sample.Image("of-newest")], KnownGoodFrom(
            Labelled("older", "2026-01-02T00:00:00Z", "of-older").Exited(1),
            Labelled("newest", "2026-01-03T00:00:00Z", "of-newest").Exited(1),
            Labelled("oldest", "2026-01-01T00:00:00Z", "of-oldest").Exited(1)));
    }

    [Fact]
    public void A_container_without_an_image_label_tells_nothing_about_good_images()
    {
        Assert.Equal([Sample.Image("of-labelled")], KnownGoodFrom(
            Labelled("labelled", "2026-01-01T00:00:00Z", "of-labelled").Exited(1),
            Labelled("unlabelled", "2026-01-02T00:00:00Z", "of-unlabelled").Exited(1) with { Image = null }));
    }

    private static Container Labelled(string id, string startedAt, string lastGood) =>
        Sample.RunningContainer(id, Sample.Release(Sample.NewImage), startedAt) with { LastGood = Sample.Image(lastGood) };

    private System.Collections.Immutable.ImmutableArray<ImageName> KnownGoodFrom(params Container[] containers) =>
        _story.SetContainers(containers).RestartAgent(keepState: false).CompleteInspection().State.Images.KnownGood;
}
