using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which images are kept, which are fetched to go back to, and when.</summary>
public class ImageCareTests
{
    private static readonly Problem Full = new(ProblemCatalog.DiskFull, "It does not fit.", "Make room.");

    private readonly ContainerStory _story = new();

    [Fact]
    public void Nothing_is_removed_while_the_image_to_go_back_to_is_fetched()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        Assert.True(_story.IsPending<Effect.FetchFallback>());
        _story.Tag = Sample.NewestImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch(Full);
        Assert.False(_story.IsPending<Effect.CleanUpImages>());
        _story.CompleteFallbackFetch();
        Assert.True(_story.IsPending<Effect.CleanUpImages>());
    }

    [Fact]
    public void An_agent_without_notes_writes_no_hold_before_it_has_looked_at_the_engine()
    {
        _story.RestartAgent(keepState: false);
        var written = _story.SaveCount;
        _story.Request(RequestKind.Stop);
        Assert.Equal(written, _story.SaveCount);
        _story.CompleteInspection();
        Assert.Equal(StopHold.Operator, _story.Memory.Hold);
    }

    [Fact]
    public void Everything_that_is_wanted_runs_ran_last_or_has_proven_itself_is_kept()
    {
        var state = Serving("front", "good") with
        {
            Tag = Sample.Loaded(Sample.ResolutionOf(Sample.Image("tag"))),
            Candidate = new ContainerState.Draining(1, Sample.RunningContainer("candidate", Sample.Release(Sample.Image("candidate")))),
        };
        state = state with
        {
            Engine = Sample.Loaded(new Inventory([], "20.10")),
            Image = Sample.Loaded(new FetchedImage(Sample.Image("tag").Digest, 0)),
            Images = state.Images with
            {
                LastRun = Sample.Image("last"),
                Verdict = new Verdict.OnTrial(Sample.Image("trial"), 0, 1),
                Cleanup = Fetched<ImageCleanupResult>.Wanted,
            },
        };
        var kept = Assert.Single(Plan(state).Effects.OfType<Effect.CleanUpImages>()).Keep;
        Assert.Equivalent(new[] { "good", "tag", "last", "front", "candidate", "trial" }.Select(Sample.Image), kept, strict: true);
        Assert.Equal(Sample.Image("last"), Plan(state).State.Images.LastRun);
    }

    [Fact]
    public void An_image_that_was_set_aside_and_is_removed_is_not_remembered_as_the_last_one_that_ran()
    {
        var state = Serving("good", "good");
        state = state with
        {
            Images = state.Images with
            {
                LastRun = Sample.Image("bad"),
                Verdict = new Verdict.Quarantined(Sample.Image("bad"), Sample.Refused),
                Cleanup = Fetched<ImageCleanupResult>.Wanted,
            },
        };
        Assert.Null(Plan(state).State.Images.LastRun);
    }

    [Fact]
    public void Of_two_broken_good_images_the_newer_one_is_fetched_first() =>
        Assert.Equal(Sample.Image("newer"), Wanted(Serving("front", "newer", "older")
            .WithDefect(new ImageDefect(Sample.Image("newer"), true)).WithDefect(new ImageDefect(Sample.Image("older"), true))));

    [Fact]
    public void A_broken_good_image_that_is_the_newest_is_left_to_the_pull() =>
        Assert.Null(Wanted((Serving("tag", "tag") with { Tag = Sample.Loaded(Sample.ResolutionOf(Sample.Image("tag"))) })
            .WithDefect(new ImageDefect(Sample.Image("tag"), true))));

    [Fact]
    public void A_missing_image_to_go_back_to_is_fetched_only_once_the_app_serves()
    {
        var state = Serving("newer", "newer", "older");
        var serving = (ContainerState.Serving)state.Front;
        Assert.Equal(Sample.Image("older"), Wanted(state));
        Assert.Null(Wanted(state with
        {
            Front = new ContainerState.Probing(serving.Container, Moment.Zero, ProbeKind.Startup,
            serving.Probe, null, Adopted: false)
        }));
    }

    [Fact]
    public void While_an_unproven_image_serves_the_newest_good_one_is_the_one_to_go_back_to() =>
        Assert.Equal(Sample.Image("newer"), Wanted(Serving("unproven", "newer", "older")));

    [Fact]
    public void No_image_is_fetched_to_go_back_to_before_the_registry_has_answered() =>
        Assert.Null(Wanted(Serving("newer", "newer", "older") with { Tag = Fetched<Resolution>.Wanted }));

    [Fact]
    public void No_image_is_fetched_to_go_back_to_while_the_engine_is_away()
    {
        var state = Serving("newer", "newer", "older");
        Assert.Null(Wanted(state with { Engine = Sample.LoadFailed(Sample.EngineUnreachable, state.Engine.Value) }));
    }

    [Fact]
    public void Where_no_image_has_proven_itself_none_is_fetched_to_go_back_to() => Assert.Null(Wanted(Serving("unproven")));

    [Theory]
    [InlineData("older", 299, false)]
    [InlineData("older", 300, true)]
    [InlineData("another", 299, true)]
    public void An_image_that_the_engine_does_not_list_is_fetched_again_after_five_minutes(string fetched, int seconds, bool isFetched)
    {
        var state = Serving("newer", "newer", "older") with { Now = Moment.Zero + TimeSpan.FromSeconds(seconds) };
        state = state with { Images = state.Images with { Fallback = Sample.Loaded(Sample.Image(fetched)) } };
        Assert.Equal(isFetched, Plan(state).Effects.OfType<Effect.FetchFallback>().Any());
    }

    [Fact]
    public void A_pull_that_failed_stays_a_problem_while_the_engine_is_away()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().LoseEngine();
        for (var i = 0; i < 5; i++)
        {
            _story.Advance(TimeSpan.FromSeconds(30)).FailInspection();
        }
        Assert.Equal(Sample.Refused, _story.State.Image.Problem);
    }

    [Fact]
    public void A_failed_pull_that_is_not_needed_any_more_is_a_problem_until_its_next_try_is_due()
    {
        var image = new Fetched<FetchedImage>(
            new FetchedImage(Sample.Image("newest").Digest, 0), Moment.Zero,
                new FetchState.Waiting(1, Sample.Refused, Moment.Zero + TimeSpan.FromMinutes(1)));
        var state = Serving("newest", "newest") with { Image = image };
        Fetched<FetchedImage> After(int seconds) =>
            Acquisition.Plan(state with { Now = Moment.Zero + TimeSpan.FromSeconds(seconds) }, _story.Policy,
                ImmutableArray.CreateBuilder<Effect>()).Image;
        Assert.Equal(Sample.Refused, After(59).Problem);
        Assert.Null(After(60).Problem);
    }

    [Fact]
    public void A_pull_that_is_under_way_and_not_needed_any_more_comes_to_its_end()
    {
        var state = Serving("newest", "newest") with { Image = Sample.Loading(new FetchedImage(Sample.Image("newest").Digest, 0)) };
        Assert.True(Acquisition.Plan(state, _story.Policy, ImmutableArray.CreateBuilder<Effect>()).Image.IsRunning);
    }

    [Fact]
    public void A_pull_that_is_tried_again_does_not_shorten_the_wait_for_a_registry_that_fails()
    {
        _story.Policy = _story.Policy with { Retry = new Backoff(TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2)) };
        _story.StartServing().PassWatch().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().FailFetch();
        _story.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.IsPending<Effect.ResolveTag>());
        _story.FailResolve().FailFetch().ForgetStartedEffects().Advance(TimeSpan.FromSeconds(5));
        Assert.Equal((1, 0), (_story.CountStarted<Effect.FetchImage>(), _story.CountStarted<Effect.ResolveTag>()));
    }

    /// <summary>An image serves, and it is the only one that the engine lists.</summary>
    private static AgentState Serving(string image, params string[] good) => new()
    {
        Front = new ContainerState.Serving(Sample.RunningContainer("front", Sample.Release(Sample.Image(image))), Moment.Zero, 0,
            new ProbeSchedule(Moment.Zero, null), null),
        Engine = Sample.Loaded(new Inventory([], "20.10") { Images = new HashSet<string> { Sample.Image(image).ToString() } }),
        Tag = Sample.Loaded(Sample.ResolutionOf(Sample.Image(image))),
        Image = Sample.Loaded(new FetchedImage(Sample.Image(image).Digest, 0)),
        Images = new ImageHistory { KnownGood = [.. good.Select(Sample.Image)] },
    };

    private static ImageName? Wanted(AgentState state) => Housekeeping.WantedFallback(state);

    private static (AgentState State, ImmutableArray<Effect> Effects) Plan(AgentState state)
    {
        var effects = ImmutableArray.CreateBuilder<Effect>();
        return (Housekeeping.Plan(state, effects), effects.ToImmutable());
    }
}
