using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class RestartTests
{
    private readonly ContainerStory _story = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(137)]
    [InlineData(143)]
    public void An_app_is_started_again_after_any_exit_code(int code)
    {
        _story.StartServing().Crash(code);
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
        _story.RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void An_app_that_ran_out_of_memory_is_started_again_and_has_a_problem()
    {
        _story.StartServing().ObserveContainers(_story.CurrentContainer.Exited(137, outOfMemory: true));
        Assert.Equal("app-out-of-memory", _story.State.Failures.Last?.Problem.Code);
        _story.RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_container_removed_by_someone_else_is_created_again()
    {
        _story.StartServing().ObserveContainers();
        Assert.Equal("container-removed", _story.State.Failures.Last?.Problem.Code);
        _story.RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_container_that_is_being_removed_counts_as_gone()
    {
        _story.StartServing().ObserveContainers(_story.CurrentContainer with { Status = ContainerStatus.Removing });
        Assert.Equal("container-removed", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_container_restarted_by_someone_else_is_replaced_at_once()
    {
        _story.StartServing().ObserveContainers(_story.CurrentContainer with { StartedAt = "2026-01-03T00:00:00Z" });
        Assert.IsType<StopReason.RestartedByOther>(((ContainerState.Stopping)_story.State.Front).Reason);
        _story.CompleteStop().CompleteInspection();
        Assert.True(_story.IsPending<Effect.StartContainer>());
        Assert.Equal(0, _story.State.Failures.Crashes);
    }

    [Fact]
    public void A_failure_keeps_its_time_its_release_and_its_last_lines()
    {
        _story.StartServing().AdvanceCompletingEffects(TimeSpan.FromSeconds(7)).Crash();
        var failure = _story.State.Failures.Last!;
        Assert.Equal(_story.Now, failure.At);
        Assert.Equal(Sample.Release(Sample.NewImage).Id, failure.ReleaseId);
        Assert.Equal(["the last line"], failure.LastLines);
    }

    [Fact]
    public void Nothing_is_started_during_the_backoff()
    {
        _story.StartServing().Crash().RereadSecrets().ForgetStartedEffects();
        var waiting = Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        _story.Advance(waiting.Until - _story.Now - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        _story.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void The_backoff_doubles_with_each_crash_up_to_its_bound_and_retries_never_end()
    {
        _story.StartServing();
        double[] expected = [1, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120, 120];
        foreach (var seconds in expected)
        {
            _story.Crash();
            var wait = ((ContainerState.BackingOff)_story.State.Front).Until - _story.Now;
            Assert.InRange(wait.TotalSeconds, seconds * 0.8, Math.Min(seconds * 1.2, 120));
            _story.RestartAfterBackoff();
        }
        Assert.Equal(expected.Length, _story.State.Failures.Crashes);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_long_healthy_run_clears_the_crash_count()
    {
        _story.StartServing().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(_story.Policy.RestartResetAfter - TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, _story.State.Failures.Crashes);
        _story.AdvanceCompletingEffects(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _story.State.Failures.Crashes);
        _story.Crash();
        Assert.Equal(1, _story.State.Failures.Crashes);
    }

    [Fact]
    public void A_crash_after_a_long_run_counts_as_the_first_even_after_failed_probes()
    {
        _story.StartServing().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(284)).Advance(TimeSpan.FromSeconds(2));
        _story.FailProbe().Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(2, _story.State.Failures.Crashes);
        _story.Crash();
        Assert.Equal(1, _story.State.Failures.Crashes);
    }

    [Fact]
    public void A_short_run_between_two_crashes_does_not_clear_the_count()
    {
        _story.StartServing().Crash().RestartAfterBackoff().AdvanceCompletingEffects(TimeSpan.FromMinutes(4)).Crash();
        Assert.Equal(2, _story.State.Failures.Crashes);
    }

    [Fact]
    public void A_container_that_ends_before_it_is_ready_counts_as_a_crash()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspection()
            .Crash(0);
        Assert.Equal(1, _story.State.Failures.Crashes);
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
    }

    [Fact]
    public void A_start_that_the_engine_refuses_counts_as_a_crash_and_is_tried_again()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().FailStart(Sample.Refused);
        Assert.Equal(1, _story.State.Failures.Crashes);
        Assert.Equal(Sample.Refused, _story.State.Failures.Last?.Problem);
        _story.CompleteInspection().RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void Crash_looping_begins_at_the_fifth_crash_in_a_row()
    {
        _story.StartServing();
        for (var crash = 1; crash <= 5; crash++)
        {
            Assert.False(_story.State.Failures.Crashes >= _story.Policy.CrashLoopThreshold);
            _story.Crash();
            if (crash < 5)
            {
                _story.RestartAfterBackoff();
            }
        }
        Assert.True(_story.State.Failures.Crashes >= _story.Policy.CrashLoopThreshold);
    }

    [Fact]
    public void The_same_history_replays_to_the_same_delays()
    {
        var again = new ContainerStory();
        _story.StartServing().Crash().RestartAfterBackoff().Crash();
        again.StartServing().Crash().RestartAfterBackoff().Crash();
        Assert.Equal(_story.State.Front, again.State.Front);
        Assert.Equal(_story.State.Seed, again.State.Seed);
    }
}
