using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class AdoptionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_running_container_of_the_desired_release_is_adopted_and_left_alone()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage)));
        _story.Boot().AdvanceCompletingEffects(TimeSpan.FromHours(2));
        var serving = Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Equal("left", serving.Container.Id);
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        Assert.Equal(0, _story.CountStarted<Effect.StopContainer>());
    }

    [Fact]
    public void An_adopted_container_serves_before_the_registry_and_the_secrets_answer()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().PassProbes();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_running_container_of_another_release_is_stopped_and_replaced()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.False(_story.IsPending<Effect.StopContainer>());   // it may be serving: it is asked first
        _story.PassProbes();
        var stop = _story.SinglePending<Effect.StopContainer>();
        Assert.Equal("left", stop.Container.Id);
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
        _story.CompleteStop().CompleteInspection();
        Assert.Equal(Sample.Release(Sample.NewImage), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData("2", ContainerStory.Config)]
    [InlineData("1", "config-2")]
    public void Other_secrets_or_another_configuration_make_another_release(string secrets, string config)
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage, secrets, config)));
        _story.Boot().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.IsType<StopReason.Replaced>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void A_container_without_our_release_label_is_replaced()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage)) with { ReleaseId = null });
        _story.Boot().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.True(_story.IsPending<Effect.StopContainer>());
    }

    [Fact]
    public void An_adopted_container_keeps_serving_until_the_newest_image_is_on_disk()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().PassProbes();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.False(_story.IsPending<Effect.StopContainer>());
    }

    [Fact]
    public void Of_two_living_containers_the_older_is_stopped_and_the_newer_is_adopted()
    {
        var keep = Sample.RunningContainer("keep", Sample.Release(Sample.NewImage), "2026-01-02T00:00:00Z");
        _story.Containers.AddRange([Sample.RunningContainer("stray", Sample.Release(Sample.NewImage), "2026-01-01T00:00:00Z"), keep]);
        _story.Boot().CompleteInspection();
        Assert.Equal("stray", _story.SinglePending<Effect.StopContainer>().Container.Id);
        Assert.IsType<StopReason.Stray>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal(keep, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);

        _story.CompleteStop().CompleteInspection();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(keep, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
    }

    [Fact]
    public void A_stray_is_stopped_while_the_other_container_keeps_serving()
    {
        _story.Boot().CompleteSecretsRead().CompleteResolve().CompleteInspection().CompleteFetch().BecomeReady();
        var keep = _story.CurrentContainer;
        _story.ForgetStartedEffects().ObserveContainers(keep, Sample.RunningContainer("stray", Sample.Release(Sample.OldImage)));
        Assert.Equal(keep, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);   // it serves all the while
        _story.CompleteStop().CompleteInspection();
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        Assert.Equal(keep, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
    }

    [Fact]
    public void When_a_container_ends_while_another_lives_the_other_is_adopted_and_none_is_started()
    {
        var other = Sample.RunningContainer("other", Sample.Release(Sample.NewImage), "2026-01-02T00:00:00Z");
        _story.StartServing().ForgetStartedEffects().ObserveContainers(_story.CurrentContainer.Exited(1), other);
        Assert.Equal(other, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
        Assert.Equal(1, _story.State.Failures.Crashes);
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(5));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Theory]
    [InlineData(ContainerStatus.Paused)]
    [InlineData(ContainerStatus.Restarting)]
    internal void What_may_be_writing_counts_as_alive(ContainerStatus status)
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)) with { Status = status });
        _story.Boot().CompleteInspection();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
    }

    [Theory]
    [InlineData(ContainerStatus.Created)]
    [InlineData(ContainerStatus.Exited)]
    [InlineData(ContainerStatus.Dead)]
    [InlineData(ContainerStatus.Removing)]
    internal void What_does_not_run_is_not_adopted(ContainerStatus status)
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)) with { Status = status });
        _story.Boot().CompleteInspection();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }
}
