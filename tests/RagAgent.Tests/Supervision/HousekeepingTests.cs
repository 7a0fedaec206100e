using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class HousekeepingTests
{
    private static readonly Problem Full = new(ProblemCatalog.DiskFull, "It does not fit.", "Make room.");

    private readonly ContainerStory _story = new();

    [Fact]
    public void Old_images_are_removed_once_a_new_one_has_passed_its_watch()
    {
        _story.StartServing().PassWatch().ForgetStartedEffects().PushAndUpdate(Sample.NewerImage).CompleteSwap()
            .AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1));
        Assert.Equal(0, _story.CountStarted<Effect.CleanUpImages>());
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(2));
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.StartedEffects.OfType<Effect.CleanUpImages>().Single().Keep);
    }

    [Fact]
    public void No_images_are_removed_during_a_pull()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
        Assert.True(_story.IsPending<Effect.FetchImage>());
        Assert.False(_story.IsPending<Effect.CleanUpImages>());
        _story.FailFetch();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
    }

    /// <summary>What stays was decided before: an image that came in between would be removed as one of the old ones.</summary>
    [Fact]
    public void No_pull_begins_during_an_image_cleanup()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Advance(TimeSpan.FromSeconds(1))
            .CompleteInspections();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
        _story.Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().Advance(TimeSpan.FromSeconds(2));
        Assert.False(_story.IsPending<Effect.FetchImage>());
        _story.CompleteImageCleanup();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void No_fallback_image_is_fetched_during_an_image_cleanup()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap()
            .AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Advance(TimeSpan.FromSeconds(1)).CompleteInspections();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
        _story.CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        Assert.False(_story.IsPending<Effect.FetchFallback>());
        _story.CompleteImageCleanup();
        Assert.True(_story.IsPending<Effect.FetchFallback>());
    }

    [Fact]
    public void A_removed_quarantined_image_is_fetched_when_it_is_released()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().Crash().RestartAfterBackoff().Crash()
            .RestartAfterBackoff().Crash().RereadSecrets();
        _story.FailStart(Full).CompleteInspections();
        Assert.Equal([Sample.NewImage], _story.SinglePending<Effect.CleanUpImages>().Keep);
        _story.CompleteImageCleanup(removed: 1).RereadSecrets().WaitOutBackoff().BecomeReady().PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict);
        _story.ForgetStartedEffects().Request(RequestKind.Unquarantine).CompleteSecretsRead().CompleteResolve();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void A_pull_that_fills_the_disk_triggers_a_cleanup_and_is_retried_at_once()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch(Full).CompleteInspections();
        Assert.Contains(Sample.NewImage, _story.SinglePending<Effect.CleanUpImages>().Keep);
        Assert.False(_story.IsPending<Effect.FetchImage>());
        _story.CompleteImageCleanup(removed: 2);
        Assert.True(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_cleanup_of_a_full_disk_keeps_wanted_running_and_good_images()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections().Tag = Sample.NewestImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch(Full);
        Assert.Equivalent(
            new[] { Sample.NewImage, Sample.NewerImage, Sample.NewestImage },
            _story.SinglePending<Effect.CleanUpImages>().Keep,
            strict: true);
    }

    [Fact]
    public void A_cleanup_of_a_full_disk_keeps_the_image_of_a_stopped_app()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteSwap();
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
        _story.Request(RequestKind.Stop).CompleteStop().CompleteInspections().Request(RequestKind.Start).Tag = Sample.NewestImage;
        _story.CompleteSecretsRead().CompleteResolve().FailFetch(Full);
        Assert.Contains(Sample.NewerImage, _story.SinglePending<Effect.CleanUpImages>().Keep);
    }

    [Fact]
    public void Nothing_is_removed_while_the_engine_does_not_answer()
    {
        _story.Policy = _story.Policy with { PullRetry = new Backoff(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)) };
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().Handle(at => new Event.EngineChanged(at))
            .FailInspection().FailFetch(Full);
        Assert.False(_story.IsPending<Effect.CleanUpImages>());
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspection();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_is_removed_while_a_container_is_being_started(bool startFirst)
    {
        _story.Policy = _story.Policy with { StartFirst = startFirst, CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        _ = startFirst ? _story : _story.CompleteStop().CompleteInspections();
        Assert.True(_story.IsPending<Effect.StartContainer>());
        _story.Tag = Sample.NewestImage;
        _story.Advance(TimeSpan.FromMinutes(5)).CompleteResolve().FailFetch(Full);
        Assert.False(_story.IsPending<Effect.CleanUpImages>());
        _story.CompleteStart();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
    }

    [Fact]
    public void The_fallback_image_is_not_fetched_while_the_registry_does_not_answer()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Update)
            .CompleteSecretsRead().FailResolve();
        _story.CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        Assert.False(_story.IsPending<Effect.FetchFallback>());
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteResolve();
        Assert.True(_story.IsPending<Effect.FetchFallback>());
    }

    [Fact]
    public void The_fallback_image_is_not_fetched_during_the_pull_of_the_newest()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Tag = Sample.NewestImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        Assert.False(_story.IsPending<Effect.FetchFallback>());
    }

    [Fact]
    public void The_fallback_image_is_not_fetched_while_nothing_serves()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().CachedImages = [Sample.NewerImage];
        _story.Crash().RereadSecrets();
        Assert.False(_story.IsPending<Effect.FetchFallback>());
        _story.WaitOutBackoff().BecomeReady();
        Assert.True(_story.IsPending<Effect.FetchFallback>());
    }

    [Fact]
    public void A_fallback_image_that_is_on_disk_is_not_fetched()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch()
            .CachedImages = [Sample.NewImage, Sample.NewerImage];
        _story.ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromMinutes(10));
        Assert.Equal(0, _story.CountStarted<Effect.FetchFallback>());
    }

    [Fact]
    public void A_cleanup_that_removes_nothing_is_retried_later_while_the_app_serves()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch(Full).CompleteImageCleanup(removed: 0);
        Assert.False(_story.IsPending<Effect.FetchImage>());
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_failed_cleanup_holds_nothing_up()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Advance(TimeSpan.FromSeconds(1))
            .CompleteInspections();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
        _story.Handle(at => new Event.CleanupFailed(at, Sample.Refused));
        Assert.IsType<FetchState.Idle>(_story.State.Images.Cleanup.State);
        Assert.Equal(new ImageCleanupResult(0, 0), _story.State.Images.Cleanup.Value);
        _story.PushAndUpdate(Sample.NewerImage);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void A_changed_state_is_saved()
    {
        _story.StartServing();
        Assert.Equal(_story.State.ToPersist(), _story.Memory);
        Assert.IsType<Verdict.OnTrial>(_story.Memory.Verdict);
        Assert.Equal("container-1", _story.Memory.Runs[0].ContainerId);
    }

    [Fact]
    public void A_failed_save_is_retried_with_growing_delays_while_the_app_serves()
    {
        _story.StartServing().DiskFails = true;
        _story.AdvanceCompletingEffects(_story.Policy.Watch + TimeSpan.FromSeconds(1));
        Assert.Equal(Sample.Refused, _story.State.Saved.Problem);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);

        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(2));
        Assert.InRange(_story.State.Saved.Failures, 5, 12);

        _story.DiskFails = false;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(1));
        Assert.Null(_story.State.Saved.Problem);
        Assert.Equal([Sample.NewImage], _story.Memory.KnownGood);
    }

    [Fact]
    public void Nothing_is_saved_while_the_state_file_is_current()
    {
        _story.StartServing().PassWatch();
        var written = _story.SaveCount;
        _story.AdvanceCompletingEffects(TimeSpan.FromHours(1));
        Assert.Equal(written, _story.SaveCount);
    }

    [Fact]
    public void An_agent_with_a_state_file_saves_only_changes()
    {
        _story.StartServing().PassWatch();
        var written = _story.SaveCount;
        _story.RestartAgent().AdvanceCompletingEffects(TimeSpan.FromMinutes(1));
        Assert.Equal(written, _story.SaveCount);
    }

    [Fact]
    public void An_agent_without_a_state_file_saves_nothing_before_the_first_inspection()
    {
        _story.RestartAgent(keepState: false).CompleteSecretsRead().CompleteResolve();
        Assert.Empty(_story.PendingEffects.OfType<Effect.SaveState>());
        Assert.True(_story.State.HasNoHistory);
        _story.CompleteInspection();
        Assert.False(_story.State.HasNoHistory);
    }

    [Fact]
    public void A_good_image_missing_on_disk_is_fetched_while_the_app_serves()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        _story.CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        Assert.Equal(new Effect.FetchFallback(Sample.NewImage, Replace: false), _story.SinglePending<Effect.FetchFallback>());
    }

    [Fact]
    public void A_good_image_that_the_engine_never_lists_is_not_fetched_over_and_over()
    {
        A_good_image_missing_on_disk_is_fetched_while_the_app_serves();
        _story.ForgetStartedEffects().CompleteFallbackFetch().CompleteInspections();
        Assert.Equal(0, _story.CountStarted<Effect.FetchFallback>());
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(7));
        Assert.Equal(1, _story.CountStarted<Effect.FetchFallback>());
    }
}
