using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>One pull at a time, for what the tag means now.</summary>
public class PullTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_image_that_is_gone_does_not_make_a_second_pull_beside_the_one_under_way()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)).Ended(1));
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers();
        _story.ImageFails().Passes(TimeSpan.FromSeconds(2));
        _story.ImageFails().Passes(TimeSpan.FromSeconds(3));
        _story.ImageFails().Passes(TimeSpan.FromSeconds(5));
        Assert.Equal(Sample.Old, _story.PendingOne<Effect.StartContainer>().Release.Image);
        Assert.True(_story.Has<Effect.FetchImage>());

        _story.StartFails(Sample.ImageMissing);
        Assert.Single(_story.Pending.OfType<Effect.FetchImage>());
    }

    [Fact]
    public void When_a_failed_pull_is_tried_again_the_tag_is_asked_as_well_for_it_may_have_been_pushed_anew()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageFails();
        Assert.False(_story.Has<Effect.ResolveTag>());
        _story.Passes(TimeSpan.FromSeconds(2));
        Assert.True(_story.Has<Effect.FetchImage>());
        Assert.True(_story.Has<Effect.ResolveTag>());
    }

    [Fact]
    public void While_the_engine_is_away_a_pull_that_waits_asks_no_one()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageFails().Hears(at => new Event.EngineChanged(at)).EngineFails().Forget();
        _story.Passes(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _story.CountBegun<Effect.ResolveTag>());
    }

    [Fact]
    public void A_pull_that_fails_after_the_tag_moved_back_leaves_nothing_to_wait_for()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer();
        _story.Tag = Sample.New;
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer().ImageFails();
        Assert.Null(_story.State.Image.Problem);
        Assert.Null(_story.State.Request);
        Assert.Null(_story.State.LastOutcome?.Problem);
        Assert.Equal(Sample.New.Digest, _story.State.LastOutcome?.Digest);
        _story.Passes(TimeSpan.FromMinutes(1));
        Assert.True(Deadlines.Next(_story.State, _story.Policy) is not { } next || next > _story.State.Now);
    }

    [Fact]
    public void A_pull_that_fails_after_the_tag_moved_on_does_not_delay_the_pull_of_the_newer_image()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer();
        _story.Tag = Sample.Image("newest");
        _story.IsAskedToUpdate().TagAnswers().SecretsAnswer().ImageFails();
        Assert.Equal(Sample.Image("newest"), _story.PendingOne<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void What_could_not_be_had_and_is_there_after_all_is_no_problem_any_more()
    {
        var state = Bench.Told.Idle with
        {
            Front = Bench.Told.Serving(),
            Secrets = Bench.Told.Known(Bench.Told.Secrets),
            Tag = Bench.Told.Known(Bench.Told.Resolution),
            Image = Bench.Told.Failing(Bench.Told.Trouble, new FetchedImage(Bench.Told.Digest, 0)),
        };

        var later = Reducer.Next(state, new Event.Tick(Moment.Zero + TimeSpan.FromSeconds(31)), Bench.Told.Policy).State;

        Assert.Null(later.Image.Problem);
    }
}
