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
    public void A_missing_image_does_not_start_a_second_pull()
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
    public void When_a_failed_pull_is_retried_the_tag_is_resolved_again_too()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch();
        Assert.False(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.IsPending<Effect.FetchImage>());
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void Progress_and_speed_of_a_pull_are_known_until_it_finishes()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Progresses(10);
        _story.Advance(TimeSpan.FromSeconds(2));
        Progresses(30);

        Assert.Equal(new PullProgress(0.3, 30, 100), _story.State.Pull.Progress);
        Assert.Equal(10, _story.State.Pull.Rate!.BytesPerSecondAt(_story.Now)!.Value, 0.01);

        _story.CompleteFetch(pulled: 100);
        Assert.Null(_story.State.Pull.Progress);
        Assert.Null(_story.State.Pull.Rate);
    }

    [Fact]
    public void Progress_and_speed_of_a_failed_pull_are_dropped()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Progresses(10);
        _story.FailFetch();
        Assert.Null(_story.State.Pull.Progress);
        Assert.Null(_story.State.Pull.Rate);
    }

    [Fact]
    public void An_image_that_a_pull_finds_corrupt_is_replaced_by_the_next_try()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.SinglePending<Effect.FetchImage>().Replace);
        _story.FailFetch(Sample.ImageCorrupt).Advance(TimeSpan.FromSeconds(2));
        Assert.True(_story.SinglePending<Effect.FetchImage>().Replace);
    }

    [Fact]
    public void A_pull_that_failed_for_another_reason_keeps_its_layers()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().Advance(TimeSpan.FromSeconds(2));
        Assert.False(_story.SinglePending<Effect.FetchImage>().Replace);
    }

    [Theory]
    [InlineData(60, 60)]
    [InlineData(600, 600)]
    [InlineData(3600, 600)]
    public void A_registry_that_asks_to_retry_later_is_obeyed_for_at_most_ten_minutes(int asked, int waited)
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead()
            .FailResolve(Sample.Refused with { RetryAfter = TimeSpan.FromSeconds(asked) });
        _story.Advance(TimeSpan.FromSeconds(waited) - TimeSpan.FromMilliseconds(1));
        Assert.False(_story.IsPending<Effect.ResolveTag>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_registry_that_asks_for_less_than_the_backoff_gets_the_backoff()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead()
            .FailResolve(Sample.Refused with { RetryAfter = TimeSpan.FromMilliseconds(1) });
        _story.Advance(TimeSpan.FromMilliseconds(500));
        Assert.False(_story.IsPending<Effect.ResolveTag>());
    }

    [Fact]
    public void A_waiting_pull_does_not_wake_the_agent_while_the_engine_is_away()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().FailFetch().Handle(at => new Event.EngineChanged(at))
            .FailInspection().ForgetStartedEffects();
        _story.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, _story.CountStarted<Effect.ResolveTag>());
    }

    [Fact]
    public void A_pull_that_fails_after_the_tag_moved_back_is_not_retried()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead();
        _story.Tag = Sample.NewImage;
        _story.RequestUpdate().CompleteResolve().CompleteSecretsRead().FailFetch();
        Assert.Null(_story.State.Image.Problem);
        Assert.Null(_story.State.Requests.Current);
        Assert.Null(_story.State.Requests.LastOutcome?.Problem);
        Assert.Equal(Sample.NewImage.Digest, _story.State.Requests.LastOutcome?.Digest);
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
    public void A_failed_pull_is_no_longer_a_problem_once_the_image_is_on_disk()
    {
        var state = RagAgent.Tests.Support.Sample.StateWithoutContainer with
        {
            Front = RagAgent.Tests.Support.Sample.Serving(),
            Secrets = RagAgent.Tests.Support.Sample.Loaded(RagAgent.Tests.Support.Sample.CurrentSecrets),
            Tag = RagAgent.Tests.Support.Sample.Loaded(RagAgent.Tests.Support.Sample.CurrentResolution),
            Image = Sample.LoadFailed(Sample.AnyProblem, new FetchedImage(Sample.Digest, 0)),
        };

        var later = Reducer.Next(state, new Event.Tick(Moment.Zero + TimeSpan.FromSeconds(31)), RagAgent.Tests.Support.Sample.DefaultPolicy)
            .State;

        Assert.Null(later.Image.Problem);
    }

    private void Progresses(long bytes) => _story.Handle(at => new Event.PullProgressed(at, new PullProgress(bytes / 100.0, bytes, 100)));
}
