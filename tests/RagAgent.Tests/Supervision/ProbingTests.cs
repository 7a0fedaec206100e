using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class ProbingTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_started_container_is_probed_at_once_then_less_often_up_to_the_startup_interval()
    {
        StartContainer();
        Assert.Equal(ProbeKind.Startup, _story.SinglePending<Effect.Probe>().Kind);
        foreach (var pause in (double[])[0.1, 0.1, 0.2, 0.4, 0.8, 1.6, 2, 2])
        {
            _story.FailProbe().Advance(TimeSpan.FromSeconds(pause) - TimeSpan.FromMilliseconds(1));
            Assert.False(_story.IsPending<Effect.Probe>());
            _story.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(ProbeKind.Startup, _story.SinglePending<Effect.Probe>().Kind);
        }
    }

    [Fact]
    public void A_startup_interval_shorter_than_the_first_pause_applies_from_the_first_probe()
    {
        _story.Policy = _story.Policy with { StartupInterval = TimeSpan.FromMilliseconds(50) };
        StartContainer();
        _story.FailProbe().Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(_story.IsPending<Effect.Probe>());
    }

    [Fact]
    public void No_probe_is_sent_while_another_is_in_flight()
    {
        StartContainer();
        _story.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(_story.PendingEffects.OfType<Effect.Probe>());
    }

    [Fact]
    public void A_container_must_pass_its_gate_after_the_startup_probe_before_it_serves()
    {
        StartContainer();
        _story.PassProbe();
        Assert.Equal(ProbeKind.Gate, _story.SinglePending<Effect.Probe>().Kind);
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.PassProbe();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void Without_a_gate_the_startup_probe_is_enough()
    {
        _story.Policy = _story.Policy with { HasGate = false };
        StartContainer();
        _story.PassProbe();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void After_a_failed_gate_the_startup_probe_comes_again()
    {
        StartContainer();
        _story.PassProbe().FailProbe("the script fails").Advance(_story.Policy.StartupInterval);
        Assert.Equal(ProbeKind.Startup, _story.SinglePending<Effect.Probe>().Kind);
        Assert.Equal("the script fails", Assert.IsType<ContainerState.Probing>(_story.State.Front).LastError);
    }

    [Fact]
    public void A_container_that_is_not_ready_at_its_deadline_is_stopped_and_counts_as_a_crash()
    {
        StartContainer();
        FailStartupProbesFor(_story.Policy.StartupDeadline - TimeSpan.FromSeconds(1));
        Assert.IsType<ContainerState.Probing>(_story.State.Front);

        FailStartupProbesFor(TimeSpan.FromSeconds(1));
        Assert.IsType<ContainerState.Probing>(_story.State.Front);   // first the engine is looked at: it may have ended
        _story.CompleteInspections();
        var stopping = Assert.IsType<ContainerState.Stopping>(_story.State.Front);
        Assert.Equal(new StopReason.NeverHealthy(_story.Policy.StartupDeadline, "it answers 500"), stopping.Reason);

        _story.CompleteStop();
        Assert.Equal(1, _story.State.Failures.Crashes);
        Assert.Equal("app-never-healthy", _story.State.Failures.Last?.Problem.Code);
        _story.CompleteInspection().RestartAfterBackoff();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void An_app_that_answers_404_until_its_deadline_gets_other_advice_than_a_silent_one()
    {
        StartContainer();
        _story.CompleteProbe(new ProbeResult.Failed("/ answered 404", UnderPressure: false) { HttpStatus = 404 });
        _story.Advance(_story.Policy.StartupDeadline).CompleteInspections().CompleteStop();
        Assert.StartsWith("It listens but has no such page", _story.State.Failures.Last?.Problem.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_startup_deadline_includes_a_gate_that_fails()
    {
        StartContainer();
        _story.PassProbe().FailProbe().Advance(_story.Policy.StartupDeadline).CompleteInspections();
        Assert.IsType<StopReason.NeverHealthy>(((ContainerState.Stopping)_story.State.Front).Reason);
    }

    [Fact]
    public void A_serving_container_is_probed_at_the_liveness_interval()
    {
        _story.StartServing().ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Equal(8, _story.CountStarted<Effect.Probe>());
        Assert.All(_story.StartedEffects.OfType<Effect.Probe>(), probe => Assert.Equal(ProbeKind.Liveness, probe.Kind));
    }

    [Fact]
    public void Liveness_failures_in_a_row_stop_a_container_and_count_as_a_crash()
    {
        _story.StartServing();
        for (var failure = 1; failure <= 3; failure++)
        {
            FailLivenessProbe();
            Assert.Equal(failure, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        }
        FailLivenessProbe();
        _story.CompleteInspections();
        Assert.Equal(new StopReason.Unhealthy(4, "no answer"), Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);

        _story.CompleteStop();
        Assert.Equal(1, _story.State.Failures.Crashes);
        Assert.Equal("app-unhealthy", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void From_the_second_failure_in_a_row_the_app_is_not_ready_and_is_probed_every_two_seconds()
    {
        _story.StartServing();
        FailLivenessProbe();
        Assert.Null(Assert.IsType<ContainerState.Serving>(_story.State.Front).UnreadySince);

        FailLivenessProbe();
        Assert.Equal(_story.Now, Assert.IsType<ContainerState.Serving>(_story.State.Front).UnreadySince);

        _story.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(_story.IsPending<Effect.Probe>());
        _story.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(_story.IsPending<Effect.Probe>());
    }

    [Fact]
    public void The_first_answer_makes_the_app_ready_again()
    {
        _story.StartServing();
        FailLivenessProbe();
        FailLivenessProbe();
        _story.Advance(TimeSpan.FromSeconds(2)).PassProbe();

        var serving = Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Equal((0, null, null), (serving.Failures, serving.UnreadySince, serving.FailingSince));
        Assert.Equal(_story.Now + _story.Policy.LivenessInterval, serving.Probe.NextAt);
    }

    [Fact]
    public void Frequent_probes_of_an_unready_app_do_not_end_it_sooner()
    {
        _story.StartServing();
        FailLivenessProbe();
        var firstFailure = _story.Now;
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Advance(TimeSpan.FromSeconds(0.5)).CompleteInspections();
            _ = _story.IsPending<Effect.Probe>() ? _story.FailProbe() : _story;
        }

        var patience = (_story.Policy.LivenessFailures - 1) * _story.Policy.LivenessInterval;
        Assert.InRange(_story.Now - firstFailure, patience, patience + TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void An_unhealthy_app_is_stopped_with_the_error_of_its_last_probe()
    {
        _story.StartServing();
        for (var failure = 1; failure <= 4; failure++)
        {
            _story.Advance(_story.Policy.LivenessInterval).FailProbe($"fault {failure}");
        }
        _story.CompleteInspections();
        Assert.Equal(new StopReason.Unhealthy(4, "fault 4"), Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_passed_probe_clears_the_reported_error()
    {
        _story.StartServing().Advance(_story.Policy.LivenessInterval).FailProbe("no answer");
        Assert.Equal("no answer", Assert.IsType<ContainerState.Serving>(_story.State.Front).LastError);
        _story.Advance(_story.Policy.LivenessInterval).PassProbe();
        Assert.Null(Assert.IsType<ContainerState.Serving>(_story.State.Front).LastError);
    }

    [Fact]
    public void Only_a_healthy_app_gets_time_for_its_requests_before_it_is_stopped()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage);
        Assert.True(_story.SinglePending<Effect.StopContainer>().FinishRequests);
        _story.CompleteSwap().Request(RequestKind.Stop);
        Assert.True(_story.SinglePending<Effect.StopContainer>().FinishRequests);
        _story.CompleteStop().CompleteInspections().Request(RequestKind.Start).CompleteSecretsRead().CompleteResolve().BecomeReady();
        for (var failure = 1; failure <= 4; failure++)
        {
            FailLivenessProbe();
        }
        _story.CompleteInspections();
        Assert.False(_story.SinglePending<Effect.StopContainer>().FinishRequests);
    }

    [Fact]
    public void One_passed_probe_resets_the_failures()
    {
        _story.StartServing();
        FailLivenessProbe();
        FailLivenessProbe();
        FailLivenessProbe();
        _story.Advance(_story.Policy.LivenessInterval).PassProbe();
        Assert.Equal(0, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
        FailLivenessProbe();
        Assert.Equal(1, Assert.IsType<ContainerState.Serving>(_story.State.Front).Failures);
    }

    private void StartContainer() =>
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspection();

    private void FailLivenessProbe() => _story.Advance(_story.Policy.LivenessInterval).FailProbe("no answer");

    private void FailStartupProbesFor(TimeSpan span)
    {
        var end = _story.Now + span;
        while (_story.State.Front is ContainerState.Probing && _story.Now < end)
        {
            if (_story.IsPending<Effect.Probe>())
            {
                _story.FailProbe();
            }
            if (_story.IsPending<Effect.InspectEngine>())
            {
                _story.CompleteInspection();
            }
            _story.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void An_unreported_end_is_found_by_an_inspection_before_the_container_is_given_up()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(3);
        _story.Containers.Clear();
        _story.Containers.Add(ended);
        for (var failure = 1; failure <= 4; failure++)
        {
            FailLivenessProbe();
        }
        _story.CompleteInspections();
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void A_new_container_that_could_not_be_probed_at_all_does_not_miss_its_deadline()
    {
        var story = new ContainerStory();
        story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections().CompleteStart()
            .CompleteInspections();
        var end = story.Now + (2 * story.Policy.StartupDeadline);
        while (story.Now < end)
        {
            while (story.IsPending<Effect.Probe>())
            {
                story.CompleteProbe(new ProbeResult.NotSent("no file descriptor is free"));
            }
            story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        }
        Assert.IsType<Verdict.OnTrial>(story.State.Images.Verdict);
        Assert.IsType<ContainerState.Probing>(story.State.Front);
    }
}
