using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Never nothing because the registry is down: what ran before is started from the disk.</summary>
public class StaleImageTests
{
    private readonly ContainerStory _story = new();

    public StaleImageTests() => _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)).Ended(0));

    [Fact]
    public void At_boot_the_newest_is_waited_for_until_its_look_up_has_failed_three_times()
    {
        _story.Boots().EngineAnswers().SecretsAnswer();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        Assert.False(_story.Has<Effect.StartContainer>());
        _story.TagFails();
        Assert.Equal(Sample.Release(Sample.Old), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_pull_that_failed_three_times_is_out_of_reach_as_well()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers();
        for (var i = 0; i < 2; i++)
        {
            _story.ImageFails();
            Assert.False(_story.Has<Effect.StartContainer>());
            _story.Passes(TimeSpan.FromSeconds(5));
        }
        _story.ImageFails();
        Assert.Equal(Sample.Release(Sample.Old), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void After_a_crash_nothing_is_waited_for()
    {
        _story.Engine[0] = Sample.Running("left", Sample.Release(Sample.Old));
        _story.Boots().EngineAnswers().SecretsAnswer().TagFails().Crashes().WaitsOut();
        Assert.Equal(Sample.Release(Sample.Old), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void After_a_crash_not_even_the_pull_of_a_newer_image_is_waited_for()
    {
        _story.Engine[0] = Sample.Running("left", Sample.Release(Sample.Old));
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().Crashes().WaitsOut();
        Assert.True(_story.Has<Effect.FetchImage>());
        Assert.Equal(Sample.Release(Sample.Old), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void One_that_was_found_missing_while_another_was_the_newest_is_fetched_when_the_tag_means_it_again()
    {
        _story.Engine.Clear();
        _story.Serves().Tag = Sample.Newer;
        _story.IsAskedToUpdate().SecretsAnswer().TagAnswers().ImageFails().Crashes().WaitsOut();
        _story.StartFails(Sample.ImageMissing).EngineIsSeen();
        _story.Tag = Sample.New;
        _story.IsAskedToUpdate().Rereads().TagAnswers().ImageFails();   // the try for the other one
        _story.PassesQuietly(TimeSpan.FromMinutes(2));
        Assert.Equal(Sample.New, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void Without_its_secrets_it_is_not_started_from_disk_either()
    {
        _story.Boots().EngineAnswers();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        _story.TagFails();
        Assert.False(_story.Has<Effect.StartContainer>());
        _story.SecretsAnswer();
        Assert.True(_story.Has<Effect.StartContainer>());
    }

    [Fact]
    public void When_nothing_ever_ran_there_is_nothing_to_start()
    {
        _story.Engine.Clear();
        _story.Boots().EngineAnswers().SecretsAnswer();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }

    [Fact]
    public void When_the_registry_is_back_the_newest_takes_its_place()
    {
        _story.Boots().EngineAnswers().SecretsAnswer();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        _story.TagFails().ComesUp().Passes(_story.Policy.Retry.Max).TagAnswers().ImageAnswers();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void An_image_that_is_missing_at_create_is_pulled_again()
    {
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().StartFails(Sample.ImageMissing);
        Assert.Equal(Sample.New, _story.PendingOne<Effect.FetchImage>().Resolution.Image);
        _story.EngineAnswers().ImageAnswers(pulled: 1).ComesBack();
        Assert.Equal(Sample.Release(Sample.New).Id, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.ReleaseId);
    }

    [Fact]
    public void A_stale_image_that_is_missing_is_not_tried_again()
    {
        _story.Boots().EngineAnswers().SecretsAnswer();
        TagFailsAndIsTriedAgain();
        TagFailsAndIsTriedAgain();
        _story.TagFails().Engine.Clear();   // a start removes what is left before it looks for the image
        _story.StartFails(Sample.ImageMissing).Forget();
        _story.EngineAnswers().Passes(TimeSpan.FromMinutes(5));
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void Of_two_broken_images_neither_is_started_again_before_it_was_fetched_anew()
    {
        _story.Engine.Clear();
        _story.Serves().IsProven().Deploys(Sample.Newer).IsProven();
        _story.Crashes().WaitsOut().StartFails(Sample.ImageCorrupt);
        Assert.True(_story.PendingOne<Effect.FetchImage>().Replace);
        _story.EngineAnswers().WaitsOut();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
        _story.StartFails(Sample.ImageCorrupt).Forget().WaitsOut().Passes(_story.Policy.InspectInterval).EngineAnswers();
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());

        Assert.True(_story.PendingOne<Effect.FetchFallback>().Replace);
        _story.ImageAnswers(pulled: 1);

        Assert.Equal(Sample.Newer, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void An_image_that_somebody_brought_back_by_hand_is_not_missing_any_more()
    {
        _story.Engine[0] = Sample.Running("left", Sample.Release(Sample.Old));
        _story.Boots().EngineAnswers().SecretsAnswer().TagFails().Crashes().WaitsOut().StartFails(Sample.ImageMissing);
        _story.Images = [];
        _story.Forget().WaitsOut().Passes(_story.Policy.InspectInterval).EngineAnswers();
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());

        _story.Images = [Sample.Old];
        _story.Passes(_story.Policy.InspectInterval).EngineAnswers();

        Assert.Equal(Sample.Old, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    private void TagFailsAndIsTriedAgain() => _story.TagFails().Passes(TimeSpan.FromSeconds(10));
}
