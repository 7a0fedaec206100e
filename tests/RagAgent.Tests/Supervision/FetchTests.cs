using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>One pull at a time, for what the tag means now.</summary>
public class FetchTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_image_that_is_gone_does_not_make_a_second_pull_beside_the_one_under_way()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)).Exited(1));
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        _story.FailFetch().Advance(TimeSpan.FromSeconds(2));
        _story.FailFetch().Advance(TimeSpan.FromSeconds(3));
        _story.FailFetch().Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(Sample.OldImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        Assert.True(_story.IsPending<Effect.FetchImage>());

        _story.FailStart(Sample.ImageMissing);
        Assert.Single(_story.PendingEffects.OfType<Effect.FetchImage>());
    }

    [Fact]
    public void When_a_failed_pull_is_tried_again_the_tag_is_asked_as_well_for_it_may_have_been_pushed_anew()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch();
        Assert.False(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.IsPending<Effect.FetchImage>());
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void The_progress_and_the_pace_of_a_pull_are_known_while_it_runs_and_forgotten_when_the_image_is_there()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Progresses(10);
        _story.Advance(TimeSpan.FromSeconds(2));
        Progresses(30);

        Assert.Equal(new PullProgress(0.3, 30, 100), _story.State.PullProgress);
        Assert.Equal(10, _story.State.PullRate!.BytesPerSecondAt(_story.Now)!.Value, 0.01);

        _story.CompleteFetch(pulled: 100);
        Assert.Null(_story.State.PullProgress);
        Assert.Null(_story.State.PullRate);
    }

    [Fact]
    public void The_progress_and_the_pace_of_a_pull_that_failed_are_forgotten()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Progresses(10);
        _story.FailFetch();
        Assert.Null(_story.State.PullProgress);
        Assert.Null(_story.State.PullRate);
    }

    [Fact]
    public void An_image_that_a_pull_finds_broken_on_disk_is_replaced_by_the_next_try()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.SinglePending<Effect.FetchImage>().Replace);
        _story.FailFetch(Sample.ImageCorrupt).Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.SinglePending<Effect.FetchImage>().Replace);
    }

    [Fact]
    public void A_pull_that_failed_for_another_reason_keeps_the_layers_that_are_there()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().Advance(TimeSpan.FromSeconds(2));
        Assert.False(_story.SinglePending<Effect.FetchImage>().Replace);
    }

    [Theory]
    [InlineData(60, 60)]
    [InlineData(600, 600)]
    [InlineData(3600, 600)]
    public void A_registry_that_asks_for_patience_gets_it_for_ten_minutes_at_most(int asked, int waited)
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve(Sample.Refused with { RetryAfter = TimeSpan.FromSeconds(asked) });
        _story.Advance(TimeSpan.FromSeconds(waited) - TimeSpan.FromMilliseconds(1));
        Assert.False(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_registry_that_asks_for_less_patience_than_the_delay_gets_the_delay()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().FailResolve(Sample.Refused with { RetryAfter = TimeSpan.FromMilliseconds(1) });
        _story.Advance(TimeSpan.FromMilliseconds(500));
        Assert.False(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void While_the_engine_is_away_a_pull_that_waits_asks_no_one()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().Handle(at => new Event.EngineChanged(at)).FailInspection().ForgetStartedEffects();
        _story.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _story.CountStarted<Effect.ResolveTag>());
    }

    [Fact]
    public void A_pull_that_fails_after_the_tag_moved_back_leaves_nothing_to_wait_for()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead();
        _story.Tag = Sample.NewImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead().FailFetch();
        Assert.Null(_story.State.Image.Problem);
        Assert.Null(_story.State.Request);
        Assert.Null(_story.State.LastOutcome?.Problem);
        Assert.Equal(Sample.NewImage.Digest, _story.State.LastOutcome?.Digest);
        _story.Advance(TimeSpan.FromMinutes(1));
        Assert.True(Deadlines.Next(_story.State, _story.Policy) is not { } next || next > _story.State.Now);
    }

    [Fact]
    public void A_pull_that_fails_after_the_tag_moved_on_does_not_delay_the_pull_of_the_newer_image()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead();
        _story.Tag = Sample.Image("newest");
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead().FailFetch();
        Assert.Equal(Sample.Image("newest"), _story.SinglePending<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void What_could_not_be_had_and_is_there_after_all_is_no_problem_any_more()
    {
        var state = RagAgent.Tests.Support.Sample.StateWithoutContainer with
        {
            Front = RagAgent.Tests.Support.Sample.Serving(),
            Secrets = RagAgent.Tests.Support.Sample.Loaded(RagAgent.Tests.Support.Sample.CurrentSecrets),
            Tag = RagAgent.Tests.Support.Sample.Loaded(RagAgent.Tests.Support.Sample.CurrentResolution),
            Image = RagAgent.Tests.Support.Sample.LoadFailed(RagAgent.Tests.Support.Sample.AnyProblem, new FetchedImage(RagAgent.Tests.Support.Sample.Digest, 0)),
        };

        var later = Reducer.Next(state, new Event.Tick(Moment.Zero + TimeSpan.FromSeconds(31)), RagAgent.Tests.Support.Sample.DefaultPolicy).State;

        Assert.Null(later.Image.Problem);
    }

    private void Progresses(long bytes) => _story.Handle(at => new Event.PullProgressed(at, new PullProgress(bytes / 100.0, bytes, 100)));
}
