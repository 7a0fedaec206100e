using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Never nothing because the registry is down: what ran before is started from the disk.</summary>
public class StaleImageTests
{
    private readonly ContainerStory _story = new();

    public StaleImageTests() => _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)).Exited(0));

    [Fact]
    public void At_boot_the_newest_image_is_waited_for_until_resolving_has_failed_three_times()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        FailResolveAndRetry();
        FailResolveAndRetry();
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.FailResolve();
        Assert.Equal(Sample.Release(Sample.OldImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void At_boot_the_newest_image_is_waited_for_until_its_pull_has_failed_three_times()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        for (var i = 0; i < 2; i++)
        {
            _story.FailFetch();
            Assert.False(_story.IsPending<Effect.StartContainer>());
            _story.Advance(TimeSpan.FromSeconds(5));
        }
        _story.FailFetch();
        Assert.Equal(Sample.Release(Sample.OldImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData(7, false)]
    [InlineData(8, true)]
    public void At_boot_a_look_up_that_never_answers_is_waited_for_8_seconds(int seconds, bool starts)
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(starts, _story.IsPending<Effect.StartContainer>());
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void An_image_on_trial_is_started_from_disk_although_its_container_is_gone()
    {
        _story.Containers.Clear();
        _story.StartServing().Containers.Clear();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        FailResolveAndRetry();
        FailResolveAndRetry();
        _story.FailResolve();
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void An_update_does_not_start_the_image_that_failed_while_it_fetches_a_newer_one()
    {
        var story = new ContainerStory();
        story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        story.FailStart(new Problem(ProblemCatalog.ImageWithoutShell, "The image has no shell.", "Add one."));
        story.Tag = Sample.NewerImage;

        story.RequestUpdate().CompleteInspections().RereadSecrets().RereadSecrets().CompleteResolve();
        Assert.False(story.IsPending<Effect.StartContainer>());
        story.CompleteFetch().CompleteInspections();

        Assert.Equal(Sample.NewerImage, story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_start_does_not_fail_with_the_registry_while_the_image_on_trial_is_on_disk()
    {
        _story.Containers.Clear();
        _story.StartServing().Containers.Clear();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead().FailResolve();
        _story.Request(RequestKind.Start).CompleteSecretsRead().FailResolve();
        Assert.NotNull(_story.State.Requests.Current);
    }

    [Fact]
    public void After_a_crash_the_restart_does_not_wait_for_the_registry()
    {
        _story.Containers[0] = Sample.RunningContainer("left", Sample.Release(Sample.OldImage));
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve().Crash().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.OldImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void After_a_crash_the_restart_does_not_wait_for_the_pull_of_a_newer_image()
    {
        _story.Containers[0] = Sample.RunningContainer("left", Sample.Release(Sample.OldImage));
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().Crash().WaitOutBackoff();
        Assert.True(_story.IsPending<Effect.FetchImage>());
        Assert.Equal(Sample.Release(Sample.OldImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void An_image_found_missing_is_fetched_when_the_tag_points_to_it_again()
    {
        _story.Containers.Clear();
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteSecretsRead().CompleteResolve().FailFetch().Crash().WaitOutBackoff();
        _story.FailStart(Sample.ImageMissing).CompleteInspections();
        _story.Tag = Sample.NewImage;
        _story.RequestUpdate().RereadSecrets().CompleteResolve().FailFetch();   // the try for the other one
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(2));
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void An_image_on_disk_is_not_started_without_its_secrets()
    {
        _story.Boot().CompleteInspection();
        FailResolveAndRetry();
        FailResolveAndRetry();
        _story.FailResolve();
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.CompleteSecretsRead();
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    [Fact]
    public void Nothing_is_started_from_disk_if_nothing_ever_ran()
    {
        _story.Containers.Clear();
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        FailResolveAndRetry();
        FailResolveAndRetry();
        FailResolveAndRetry();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }

    [Fact]
    public void A_stale_image_is_replaced_by_the_newest_when_the_registry_is_back()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        FailResolveAndRetry();
        FailResolveAndRetry();
        _story.FailResolve().BecomeReady().Advance(_story.Policy.Retry.Max).CompleteResolve().CompleteFetch();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_image_that_is_missing_at_create_is_pulled_again()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStart(Sample.ImageMissing);
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.FetchImage>().Resolution.Image);
        _story.CompleteInspection().CompleteFetch(pulled: 1).RestartAfterBackoff();
        Assert.Equal(Sample.Release(Sample.NewImage).Id, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.ReleaseId);
    }

    [Fact]
    public void A_missing_stale_image_is_not_started_again()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        FailResolveAndRetry();
        FailResolveAndRetry();
        _story.FailResolve().Containers.Clear();   // a start removes what is left before it looks for the image
        _story.FailStart(Sample.ImageMissing).ForgetStartedEffects();
        _story.CompleteInspection().Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void Of_two_corrupt_images_neither_starts_again_before_it_is_fetched()
    {
        _story.Containers.Clear();
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).PassWatch();
        _story.Crash().WaitOutBackoff().FailStart(Sample.ImageCorrupt);
        Assert.True(_story.SinglePending<Effect.FetchImage>().Replace);
        _story.CompleteInspection().WaitOutBackoff();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        _story.FailStart(Sample.ImageCorrupt).ForgetStartedEffects().WaitOutBackoff().Advance(_story.Policy.InspectInterval)
            .CompleteInspection();
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());

        Assert.True(_story.SinglePending<Effect.FetchFallback>().Replace);
        _story.CompleteFetch(pulled: 1);

        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void An_image_pulled_by_hand_is_no_longer_missing()
    {
        _story.Containers[0] = Sample.RunningContainer("left", Sample.Release(Sample.OldImage));
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve().Crash().WaitOutBackoff().FailStart(Sample.ImageMissing);
        _story.CachedImages = [];
        _story.ForgetStartedEffects().WaitOutBackoff().Advance(_story.Policy.InspectInterval).CompleteInspection();
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());

        _story.CachedImages = [Sample.OldImage];
        _story.Advance(_story.Policy.InspectInterval).CompleteInspection();

        Assert.Equal(Sample.OldImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void The_image_that_ran_last_is_the_one_last_started_in_front()
    {
        _story.StartServing();
        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
        _story.PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
        _story.CompleteStart();
        Assert.Equal(Sample.NewerImage, _story.State.Images.LastRun);
    }

    [Fact]
    public void A_candidate_is_not_the_image_that_ran_last_until_the_swap()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
        _story.PassProbe().PassProbe();
        Assert.Equal(Sample.NewerImage, _story.State.Images.LastRun);
    }

    [Fact]
    public void A_missing_newest_image_does_not_change_which_image_ran_last()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections().FailStart(Sample.ImageMissing);
        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
        Assert.Null(_story.State.Image.Value);
    }

    [Fact]
    public void An_image_missing_on_disk_no_longer_counts_as_the_one_that_ran_last()
    {
        _story.StartServing().Crash().WaitOutBackoff().FailStart(Sample.ImageMissing);
        Assert.Null(_story.State.Images.LastRun);
    }

    private void FailResolveAndRetry() => _story.FailResolve().Advance(TimeSpan.FromSeconds(3));
}
