using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class AdoptionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void The_same_release_that_runs_already_is_adopted_and_never_touched()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.New)));
        _story.Boots().PassesQuietly(TimeSpan.FromHours(2));
        var serving = Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Equal("left", serving.Container.Id);
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
        Assert.Equal(0, _story.CountBegun<Effect.StopContainer>());
    }

    [Fact]
    public void What_runs_serves_before_the_registry_and_the_secrets_have_answered()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)));
        _story.Boots().EngineAnswers().ProvesItself();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void Another_release_that_runs_is_stopped_and_replaced()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)));
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers();
        Assert.False(_story.Has<Effect.StopContainer>());   // it may be serving: it is asked first
        _story.ProvesItself();
        var stop = _story.PendingOne<Effect.StopContainer>();
        Assert.Equal("left", stop.Container.Id);
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
        _story.Stops().EngineAnswers();
        Assert.Equal(Sample.Release(Sample.New), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData("2", ContainerStory.Config)]
    [InlineData("1", "config-2")]
    public void Other_secrets_or_another_configuration_make_another_release(string secrets, string config)
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.New, secrets, config)));
        _story.Boots().EngineAnswers().ProvesItself().SecretsAnswer().TagAnswers().ImageAnswers();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void A_container_without_our_release_label_is_replaced()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.New)) with { ReleaseId = null });
        _story.Boots().EngineAnswers().ProvesItself().SecretsAnswer().TagAnswers().ImageAnswers();
        Assert.True(_story.Has<Effect.StopContainer>());
    }

    [Fact]
    public void While_the_newest_image_is_not_on_disk_what_runs_goes_on_serving()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)));
        _story.Boots().EngineAnswers().SecretsAnswer().TagAnswers().ProvesItself();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.False(_story.Has<Effect.StopContainer>());
    }

    [Fact]
    public void Of_two_that_are_alive_the_one_that_started_earlier_is_stopped_and_the_other_is_adopted()
    {
        var keep = Sample.Running("keep", Sample.Release(Sample.New), "2026-01-02T00:00:00Z");
        _story.Engine.AddRange([Sample.Running("stray", Sample.Release(Sample.New), "2026-01-01T00:00:00Z"), keep]);
        _story.Boots().EngineAnswers();
        Assert.Equal("stray", _story.PendingOne<Effect.StopContainer>().Container.Id);
        Assert.IsType<StopReason.Stray>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal(keep, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);

        _story.Stops().EngineAnswers();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(keep, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
    }

    [Fact]
    public void A_stray_is_stopped_while_the_one_that_stays_serves_on()
    {
        _story.Boots().SecretsAnswer().TagAnswers().EngineAnswers().ImageAnswers().ComesUp();
        var keep = _story.Current;
        _story.Forget().EngineShows(keep, Sample.Running("stray", Sample.Release(Sample.Old)));
        Assert.Equal(keep, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);   // it serves all the while
        _story.Stops().EngineAnswers();
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
        Assert.Equal(keep, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
    }

    [Fact]
    public void When_one_ends_while_another_of_ours_is_alive_the_other_is_adopted_and_none_is_started()
    {
        var other = Sample.Running("other", Sample.Release(Sample.New), "2026-01-02T00:00:00Z");
        _story.Serves().Forget().EngineShows(_story.Current.Ended(1), other);
        Assert.Equal(other, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
        Assert.Equal(1, _story.State.Crashes);
        _story.PassesQuietly(TimeSpan.FromMinutes(5));
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Theory]
    [InlineData(ContainerStatus.Paused)]
    [InlineData(ContainerStatus.Restarting)]
    internal void What_may_be_writing_counts_as_alive(ContainerStatus status)
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)) with { Status = status });
        _story.Boots().EngineAnswers();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
    }

    [Theory]
    [InlineData(ContainerStatus.Created)]
    [InlineData(ContainerStatus.Exited)]
    [InlineData(ContainerStatus.Dead)]
    [InlineData(ContainerStatus.Removing)]
    internal void What_does_not_run_is_not_adopted(ContainerStatus status)
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)) with { Status = status });
        _story.Boots().EngineAnswers();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }
}
