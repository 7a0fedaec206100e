using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class HousekeepingTests
{
    private static readonly Problem Full = new(ProblemCodes.DiskFull, "It does not fit.", "Make room.");

    private readonly ContainerStory _story = new();

    [Fact]
    public void Old_images_are_removed_once_a_new_one_has_proven_itself_and_not_before()
    {
        _story.Serves().IsProven().Forget().Deploys(Sample.Newer).Swaps().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1));
        Assert.Equal(0, _story.CountBegun<Effect.CleanUpImages>());
        _story.PassesQuietly(TimeSpan.FromSeconds(2));
        Assert.Equal([Sample.Newer, Sample.New], _story.Begun.OfType<Effect.CleanUpImages>().Single().Keep);
    }

    [Fact]
    public void Never_while_a_pull_is_under_way()
    {
        _story.Serves().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Tag = Sample.Newer;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers().Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        Assert.Equal([Sample.New], _story.State.KnownGood);
        Assert.True(_story.Has<Effect.FetchImage>());
        Assert.False(_story.Has<Effect.CleanUpImages>());
        _story.ImageFails();
        Assert.True(_story.Has<Effect.CleanUpImages>());
    }

    /// <summary>What stays was decided before: an image that came in between would be removed as one of the old ones.</summary>
    [Fact]
    public void And_no_pull_begins_while_they_are_removed()
    {
        _story.Serves().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Passes(TimeSpan.FromSeconds(1)).EngineIsSeen();
        Assert.True(_story.Has<Effect.CleanUpImages>());
        _story.Tag = Sample.Newer;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers().Passes(TimeSpan.FromSeconds(2));
        Assert.False(_story.Has<Effect.FetchImage>());
        _story.Collects();
        Assert.Equal(Sample.Newer, _story.PendingOne<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void Nor_is_the_image_to_go_back_to_fetched()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Passes(TimeSpan.FromSeconds(1)).EngineIsSeen();
        Assert.True(_story.Has<Effect.CleanUpImages>());
        _story.Images = [Sample.Newer];
        _story.Hears(at => new Event.EngineChanged(at)).EngineIsSeen();
        Assert.False(_story.Has<Effect.FetchFallback>());
        _story.Collects();
        Assert.True(_story.Has<Effect.FetchFallback>());
    }

    [Fact]
    public void One_that_was_set_aside_and_removed_is_looked_for_on_disk_when_it_is_given_another_chance()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().Crashes().ComesBack().Crashes().ComesBack().Crashes().Rereads();
        _story.StartFails(Full).EngineIsSeen();
        Assert.Equal([Sample.New], _story.PendingOne<Effect.CleanUpImages>().Keep);
        _story.Collects(removed: 1).Rereads().WaitsOut().ComesUp().IsProven();
        Assert.IsType<Verdict.Quarantined>(_story.State.Verdict);
        _story.Forget().IsAskedTo(RequestKind.Unquarantine).SecretsAnswer().TagAnswers();
        Assert.Equal(Sample.Newer, _story.PendingOne<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void A_pull_that_does_not_fit_makes_room_first_and_is_tried_again_at_once()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers().ImageFails(Full).EngineIsSeen();
        Assert.Contains(Sample.New, _story.PendingOne<Effect.CleanUpImages>().Keep);
        Assert.False(_story.Has<Effect.FetchImage>());
        _story.Collects(removed: 2);
        Assert.True(_story.Has<Effect.FetchImage>());
    }

    [Fact]
    public void When_nothing_could_be_removed_it_is_tried_again_later_and_what_serves_goes_on()
    {
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers().ImageFails(Full).Collects(removed: 0);
        Assert.False(_story.Has<Effect.FetchImage>());
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.Passes(TimeSpan.FromSeconds(2));
        Assert.True(_story.Has<Effect.FetchImage>());
    }

    [Fact]
    public void A_removal_that_fails_holds_nothing_up()
    {
        _story.Serves().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Passes(TimeSpan.FromSeconds(1));
        _story.Hears(at => new Event.CleanupFailed(at, Sample.Refused));
        Assert.IsType<FetchState.Idle>(_story.State.Cleanup.State);
        _story.Deploys(Sample.Newer);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
    }

    [Fact]
    public void What_is_learned_is_written_down_and_tried_again_when_that_fails()
    {
        _story.Serves();
        Assert.Equal(_story.State.ToPersist(), _story.Memory);
        Assert.IsType<Verdict.OnTrial>(_story.Memory.Verdict);
        Assert.Equal("container-1", _story.Memory.Runs[0].ContainerId);
    }

    [Fact]
    public void An_agent_without_notes_writes_none_before_it_has_looked_at_the_engine()
    {
        _story.LivesAgain(remembers: false).SecretsAnswer().TagAnswers();
        Assert.Empty(_story.Pending.OfType<Effect.SaveState>());
        Assert.True(_story.State.HasNoHistory);
        _story.EngineAnswers();
        Assert.False(_story.State.HasNoHistory);
    }

    [Fact]
    public void A_good_image_that_somebody_removed_is_fetched_while_the_app_serves()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().IsProven();
        _story.Images = [Sample.Newer];
        _story.Hears(at => new Event.EngineChanged(at)).EngineIsSeen();
        Assert.Equal(new Effect.FetchFallback(Sample.New, Replace: false), _story.PendingOne<Effect.FetchFallback>());
    }

    [Fact]
    public void One_that_is_there_and_that_the_engine_does_not_list_is_not_asked_for_without_end()
    {
        A_good_image_that_somebody_removed_is_fetched_while_the_app_serves();
        _story.Forget().SpareAnswers().EngineIsSeen();
        Assert.Equal(0, _story.CountBegun<Effect.FetchFallback>());
        _story.PassesQuietly(TimeSpan.FromMinutes(7));
        Assert.Equal(1, _story.CountBegun<Effect.FetchFallback>());
    }
}
