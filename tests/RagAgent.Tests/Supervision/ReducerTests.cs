using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What each piece of news changes, and what it leaves alone.</summary>
public class ReducerTests
{
    private static readonly Problem Full = new(ProblemCatalog.DiskFull, "It does not fit.", "Make room.");
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ContainerStory _story = new();

    [Fact]
    public void News_that_was_stamped_earlier_does_not_turn_the_time_back()
    {
        var now = Moment.Zero + TimeSpan.FromMinutes(1);
        Assert.Equal(now, Reducer.Next(new AgentState { Now = now }, new Event.Tick(Moment.Zero), _story.Policy).State.Now);
    }

    [Fact]
    public void Late_news_of_a_pull_does_not_make_a_broken_image_whole()
    {
        var state = new AgentState().WithDefect(new ImageDefect(Sample.NewImage, IsCorrupt: true)) with
        {
            Image = Fetched<FetchedImage>.Idle,
        };
        var late = new Event.ImageReady(Moment.Zero, new FetchedImage(Sample.NewImage.Digest, 0));
        Assert.True(Reducer.Next(state, late, _story.Policy).State.IsCorrupt(Sample.NewImage));
    }

    [Fact]
    public void After_the_image_to_go_back_to_was_fetched_the_engine_is_inspected()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections().CompleteFallbackFetch();
        Assert.True(_story.IsPending<Effect.InspectEngine>());
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public void A_pull_that_did_not_fit_is_tried_again_at_once_if_a_single_image_was_removed(int removed, bool isTried)
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch(Full).CompleteImageCleanup(removed);
        Assert.Equal(isTried, _story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_pull_that_failed_for_another_reason_is_not_hurried_by_more_room_on_the_disk()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - Second).Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch();
        _story.Advance(Second).CompleteInspections();
        for (var i = 0; i < 5 && _story.IsPending<Effect.FetchImage>(); i++)
        {
            _story.FailFetch();
        }
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
        _story.CompleteImageCleanup(removed: 3);
        Assert.False(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void An_event_of_an_engine_that_does_not_answer_does_not_shorten_the_wait_for_it()
    {
        _story.StartServing().LoseEngine();
        _story.Handle(at => new Event.EngineChanged(at));
        Assert.False(_story.IsPending<Effect.InspectEngine>());
        _story.Handle(at => new Event.EngineDisconnected(at));
        Assert.False(_story.IsPending<Effect.InspectEngine>());
    }

    [Fact]
    public void A_failed_stop_of_a_container_that_was_not_seen_yet_leaves_open_whether_it_runs()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart();
        _story.Request(RequestKind.Stop).FailStop(Sample.Refused);
        Assert.IsType<ContainerState.Unknown>(_story.State.Front);
    }

    [Fact]
    public void The_first_stop_that_fails_is_followed_by_an_inspection_after_the_shortest_delay()
    {
        _story.StartServing().Request(RequestKind.Stop).FailStop(Sample.Refused).Advance(_story.Policy.Retry.First * 1.2);
        Assert.True(_story.IsPending<Effect.InspectEngine>());
    }

    [Fact]
    public void A_tag_that_has_not_moved_does_not_shorten_the_wait_for_a_pull_that_failed()
    {
        _story.Policy = _story.Policy with
        {
            CheckInterval = Second,
            PullRetry = new Backoff(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5))
        };
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().Advance(Second);
        _story.CompleteResolve();
        Assert.False(_story.IsPending<Effect.FetchImage>());
        Assert.NotNull(_story.State.Image.Problem);
    }

    [Fact]
    public void A_tag_that_has_not_moved_does_not_forget_the_failures_of_the_candidate()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        _story.Request(RequestKind.Update).CompleteResolve();
        Assert.Equal(1, _story.State.Failures.OfCandidate);
    }

    [Fact]
    public void A_good_image_that_is_missing_at_its_start_is_fetched_at_once_and_the_newest_stays_known()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().Crash().RestartAfterBackoff().Crash()
            .RestartAfterBackoff().Crash();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        _story.FailStart(Sample.ImageMissing).CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.FetchFallback>().Image);
        Assert.Equal(Sample.NewerImage.Digest, _story.State.Image.Value?.Digest);
        _story.CompleteFallbackFetch().RereadSecrets().WaitOutBackoff().FailStart(Sample.ImageMissing).CompleteInspections();
        Assert.True(_story.IsPending<Effect.FetchFallback>());
    }

    [Fact]
    public void The_newest_image_missing_at_its_start_does_not_shorten_the_wait_for_another_one()
    {
        var fallback = Sample.LoadFailed<ImageName>(Sample.Refused);
        var state = new AgentState
        {
            Front = new ContainerState.Starting(7, Sample.Release(Sample.NewImage), Moment.Zero),
            Tag = Sample.Loaded(Sample.ResolutionOf(Sample.NewImage)),
            Images = new ImageHistory { Fallback = fallback },
        };
        Assert.Equal(fallback,
            Reducer.Next(state, new Event.StartFailed(Moment.Zero, 7, Sample.ImageMissing), _story.Policy).State.Images.Fallback);
    }

    [Fact]
    public void A_start_that_finds_the_engine_gone_explains_an_end_that_was_just_seen()
    {
        _story.StartServing().Crash(0).WaitOutBackoff().FailStart(Sample.EngineUnreachable);
        Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_candidate_that_was_never_well_waits_before_it_is_started_again()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().SecretVersion = "2";
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().CompleteStart().CompleteInspections();
        while (_story.State.Candidate is ContainerState.Probing)
        {
            var isFront = _story.PendingEffects.OfType<Effect.Probe>().LastOrDefault()?.Kind == ProbeKind.Liveness;
            _ = _story.IsPending<Effect.Probe>() ? isFront ? _story.PassProbe() : _story.FailProbe() : _story.Advance(Second)
                .CompleteInspections();
        }
        _story.CompleteStop();
        Assert.Equal("app-never-healthy", Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Cause.Problem.Code);
    }
}
