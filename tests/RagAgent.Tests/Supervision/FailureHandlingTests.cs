using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What is remembered of runs and crashes.</summary>
public class FailureHandlingTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_crash_after_exactly_the_reset_time_is_the_first_again_even_if_a_probe_had_failed()
    {
        _story.StartServing().Crash().RestartAfterBackoff();
        var last = TimeSpan.FromSeconds(1);
        _story.AdvanceCompletingEffects(_story.Policy.RestartResetAfter - _story.Policy.LivenessInterval - last);
        _story.Advance(last).FailProbe().Advance(_story.Policy.LivenessInterval);
        Assert.Equal(1, _story.State.Failures.Crashes);
        _story.Crash();
        Assert.Equal(1, _story.State.Failures.Crashes);
    }

    [Fact]
    public void Another_start_of_a_container_and_another_container_are_not_the_run_that_was_remembered()
    {
        var container = _story.StartServing().CurrentContainer;
        Assert.NotNull(_story.State.RunOf(container));
        Assert.Null(_story.State.RunOf(container with { StartedAt = "2026-02-02T00:00:00Z" }));
        Assert.Null(_story.State.RunOf(container with { Id = "another-container" }));
    }

    [Fact]
    public void The_run_of_the_container_beside_the_front_is_remembered_when_the_front_is_started_again()
    {
        var draining = Sample.RunningContainer("draining", Sample.Release(Sample.OldImage));
        var state = WithRuns("crashed", "draining") with { Candidate = new ContainerState.Draining(1, draining) };
        Assert.Equal(["new", "draining"], RunIds(state.WithRun(Sample.RunningContainer("new", Sample.Release(Sample.NewImage)))));
    }

    [Fact]
    public void Not_more_than_two_runs_are_remembered()
    {
        var state = WithRuns("first", "second", "third");
        Assert.Equal(["new", "first"], RunIds(state.WithRun(Sample.RunningContainer("new", Sample.Release(Sample.NewImage)))));
    }

    [Fact]
    public void A_stray_that_is_being_stopped_is_remembered_after_the_two_newest_runs()
    {
        var stray = Sample.RunningContainer("stray", Sample.Release(Sample.OldImage));
        var state = WithRuns("first", "second", "third").WithStopRequested(stray, isRequested: true);
        Assert.Equal(["first", "second", "stray"], RunIds(state));
        Assert.True(state.RunOf(stray)!.StopRequested);
    }

    [Fact]
    public void A_stray_whose_stop_an_earlier_life_requested_may_end_without_a_failure()
    {
        var stray = Sample.RunningContainer("stray", Sample.Release(Sample.OldImage), "2025-12-31T00:00:00Z");
        _story.StartServing().ObserveContainers(_story.CurrentContainer, stray);
        Assert.Equal("stray", _story.SinglePending<Effect.StopContainer>().Container.Id);
        _story.SetContainers(stray).RestartAgent().CompleteInspections();
        Assert.Equal("stray", _story.CurrentContainer.Id);
        _story.ObserveContainers();
        Assert.Null(_story.State.Failures.Last);
    }

    [Fact]
    public void A_container_without_a_remembered_run_needs_no_note_that_its_stop_is_over()
    {
        var unknown = Sample.RunningContainer("unknown", Sample.Release(Sample.OldImage));
        Assert.Equal(["first"], RunIds(WithRuns("first").WithStopRequested(unknown, isRequested: false)));
    }

    [Fact]
    public void Delays_of_many_failures_are_spread_evenly_over_their_range()
    {
        var state = new AgentState();
        var drawn = new List<double>();
        for (var i = 0; i < 1_000; i++)
        {
            state = state.WithJitter(jitter =>
            {
                drawn.Add(jitter);
                return state;
            });
        }
        Assert.Equal(drawn.Count, drawn.Distinct().Count());
        Assert.InRange(drawn.Min(), 0, 0.02);
        Assert.InRange(drawn.Max(), 0.98, 1);
        Assert.InRange(drawn.Average(), 0.45, 0.55);
    }

    [Fact]
    public void A_container_that_outlived_its_stop_for_the_reset_time_ends_by_itself()
    {
        var serving = new ContainerState.Serving(Sample.RunningContainer("first", Sample.Release(Sample.NewImage)), Moment.Zero, 0,
            default, null);
        var state = new AgentState
        {
            Front = serving,
            Evidence = new AttributionEvidence { Runs = [new Run("first", serving.Container.StartedAt) { StopRequested = true }] },
        };
        bool IsRequestedAfter(TimeSpan span) =>
            Reducer.Next(state, new Event.Tick(Moment.Zero + span), _story.Policy).State.RunOf(serving.Container)!.StopRequested;
        Assert.True(IsRequestedAfter(_story.Policy.RestartResetAfter - TimeSpan.FromMilliseconds(1)));
        Assert.False(IsRequestedAfter(_story.Policy.RestartResetAfter));
    }

    [Fact]
    public void A_restart_waits_five_seconds_for_fresh_secrets_and_goes_on_without_them()
    {
        _story.StartServing().PassWatch().Crash().Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.True(_story.IsPending<Effect.ReadSecrets>());
        Assert.False(_story.IsPending<Effect.StartContainer>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_story.IsPending<Effect.StartContainer>());
    }

    private static AgentState WithRuns(params string[] ids) => new()
    {
        Evidence = new AttributionEvidence { Runs = [.. ids.Select(id => new Run(id, "2026-01-01T00:00:00Z"))] },
    };

    private static IEnumerable<string> RunIds(AgentState state) => state.Evidence.Runs.Select(run => run.ContainerId);
}
