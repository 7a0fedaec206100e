using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What becomes of a second container of ours that is found beside the one in front.</summary>
public class SecondContainerTests
{
    private const string Older = "2026-01-01T00:00:00Z";
    private const string Same = "2026-01-02T00:00:00Z";
    private const string Newer = "2026-01-03T00:00:00Z";

    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        StartFirst = true
    });

    [Fact]
    public void A_newer_container_of_another_release_may_prove_itself_beside_the_front()
    {
        _story.ObserveContainers(Front(), Second());
        Assert.Equal("second", Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Container.Id);
    }

    [Fact]
    public void A_second_container_is_a_stray_where_two_may_not_run()
    {
        _story.Policy = _story.Policy with { StartFirst = false };
        AssertStray(Front() with { StartedAt = Same }, Second());
    }

    [Theory]
    [InlineData(Older)]
    [InlineData(Same)]
    public void A_second_container_that_is_not_newer_than_the_front_is_a_stray(string startedAt) =>
        AssertStray(Front(), Second() with { StartedAt = startedAt });

    [Fact]
    public void A_second_container_of_the_same_release_is_a_stray()
    {
        var front = Front();
        AssertStray(front, Second() with { ReleaseId = front.ReleaseId });
    }

    [Fact]
    public void A_second_container_that_is_paused_is_a_stray() => AssertStray(Front(), Second() with { Status = ContainerStatus.Paused });

    [Fact]
    public void A_second_container_with_another_configuration_is_a_stray() =>
        AssertStray(Front(), Second() with { ConfigFingerprint = "config-2" });

    [Fact]
    public void A_second_container_beside_a_front_with_another_configuration_is_a_stray()
    {
        var front = Sample.RunningContainer("front", Sample.Release(Sample.OldImage, config: "config-0"), Same);
        _story.Containers.Add(front);
        _story.Boot().CompleteInspection().PassProbes();
        AssertStray(front, Second());
    }

    [Fact]
    public void A_stray_is_stopped_also_while_a_failed_candidate_waits_for_its_next_try()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage);
        var front = _story.CurrentContainer;
        _story.ObserveContainers(front, _story.State.Candidate!.Current!.Exited(1));
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
        AssertStray(front, Sample.RunningContainer("second", Sample.Release(Sample.OldImage), "2025-12-31T00:00:00Z"));
    }

    [Fact]
    public void A_replaced_container_that_someone_restarts_is_stopped_and_never_becomes_a_candidate()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        _story.SwapToCandidate(Sample.NewerImage).RetireOld();
        _story.ObserveContainers(_story.CurrentContainer, old with { StartedAt = "2026-02-01T00:00:00Z" });
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_container_that_the_engine_is_removing_needs_no_second_removal()
    {
        _story.StartServing().ForgetStartedEffects();
        _story.ObserveContainers(_story.CurrentContainer, Second().Exited(0) with { Status = ContainerStatus.Removing });
        Assert.Null(_story.State.Candidate);
        Assert.Equal(0, _story.CountStarted<Effect.StopContainer>());
    }

    private static Container Second() => Sample.RunningContainer("second", Sample.Release(Sample.NewerImage), Newer);

    private Container Front()
    {
        var front = Sample.RunningContainer("front", Sample.Release(Sample.NewImage), Same);
        _story.Containers.Add(front);
        _story.Boot().CompleteInspection().PassProbes();
        return front;
    }

    private void AssertStray(Container front, Container second)
    {
        _story.ObserveContainers(front, second);
        var stopping = Assert.IsType<ContainerState.Stopping>(_story.State.Candidate);
        Assert.Equal(second.Id, stopping.Container.Id);
        Assert.IsType<StopReason.Stray>(stopping.Reason);
    }
}
