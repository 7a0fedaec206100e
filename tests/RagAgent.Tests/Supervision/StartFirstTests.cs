using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Where two containers share nothing that both would write to, the new one proves itself beside the old one.</summary>
public class StartFirstTests
{
    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        StartFirst = true,
    });

    [Fact]
    public void The_old_container_serves_until_the_new_one_has_passed_its_gate()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        _story.PushAndUpdate(Sample.NewerImage);
        Assert.Equal(old, _story.SinglePending<Effect.StartContainer>().Neighbor);
        _story.CompleteStart().CompleteInspections().PassProbe();
        Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        Assert.False(_story.IsPending<Effect.StopContainer>());
        _story.PassProbe();
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void After_the_swap_the_old_container_drains_stops_and_leaves_its_name_to_the_new_one()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        SwapTo(Sample.NewerImage);
        Assert.Equal(old, _story.SinglePending<Effect.Drain>().Container);
        Assert.False(_story.IsPending<Effect.StopContainer>());
        _story.CompleteDrain();
        var stop = _story.SinglePending<Effect.StopContainer>();
        Assert.Equal((old.Id, "ragstream-next"), (stop.Container.Id, stop.Successor?.Name));
        _story.CompleteStop().CompleteInspections();
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void A_crashing_candidate_is_tried_three_times_while_the_old_container_serves()
    {
        _story.StartServing().PassWatch();
        var old = _story.CurrentContainer;
        _story.PushAndUpdate(Sample.NewerImage).ForgetStartedEffects();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.CompleteStart().CompleteInspections();
            _story.ObserveContainers(old, _story.State.Candidate!.Current!.Exited(1));
            Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
            _story.Advance(TimeSpan.FromSeconds(10)).CompleteInspections();
        }
        // What is stopped is left over from the last candidate.
        Assert.NotEqual(old.Id, Assert.Single(_story.StartedEffects.OfType<Effect.StopContainer>()).Container.Id);
        _story.CompleteStop();
        Assert.Null(_story.State.Candidate);
        // Quarantined at once: the old image has long passed its watch.
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
        Assert.Equal((0, 0), (_story.State.Failures.Crashes, _story.State.Failures.OfCandidate));
    }

    [Fact]
    public void An_update_whose_candidate_fails_names_the_reason_while_the_old_container_serves()
    {
        A_crashing_candidate_is_tried_three_times_while_the_old_container_serves();
        Assert.Equal("image-quarantined", _story.State.Requests.LastOutcome?.Problem?.Code);
    }

    [Fact]
    public void An_image_serving_with_older_secrets_proves_nothing_against_one_failing_with_newer()
    {
        _story.StartServing().PassWatch();
        var old = _story.CurrentContainer;
        _story.SecretVersion = "2";
        _story.PushAndUpdate(Sample.NewerImage);
        CrashCandidateThreeTimes(old);
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);

        _story.CompleteStop().CompleteInspections();
        var release = _story.SinglePending<Effect.StartContainer>().Release;
        Assert.Equal((Sample.NewImage, "secrets-2"), (release.Image, release.SecretsFingerprint));
        CrashCandidateThreeTimes(old);
        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);
        Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
    }

    [Fact]
    public void An_image_still_in_its_watch_keeps_serving_when_the_next_candidate_fails()
    {
        _story.StartServing().PassWatch();
        SwapTo(Sample.NewerImage);
        var serving = _story.CompleteDrain().CompleteStop().CompleteInspections().CurrentContainer;
        _story.PushAndUpdate(Sample.NewestImage);
        CrashCandidateThreeTimes(serving);
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(10));
        Assert.Equal(serving, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        _story.PassWatch();
        Assert.Equal(Sample.NewestImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void If_the_image_left_serving_ends_the_last_good_one_takes_its_place()
    {
        _story.StartServing().PassWatch();
        SwapTo(Sample.NewerImage);
        var serving = _story.CompleteDrain().CompleteStop().CompleteInspections().CurrentContainer;
        _story.PushAndUpdate(Sample.NewestImage);
        CrashCandidateThreeTimes(serving);
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(10)).Crash().WaitOutBackoff();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_candidate_that_is_never_ready_is_stopped_at_its_deadline_and_rolled_back()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        var end = _story.Now + _story.Policy.StartupDeadline;
        while (_story.Now < end)
        {
            _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
            while (_story.PendingEffects.OfType<Effect.Probe>().Any())
            {
                _ = _story.PendingEffects.OfType<Effect.Probe>().Last()
                    .Kind == ProbeKind.Liveness ? _story.PassProbe() : _story.FailProbe();
            }
        }
        Assert.IsType<StopReason.NeverHealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.CompleteStop().CompleteInspections();
        Assert.Null(_story.State.Candidate);
        // Quarantined at once: the old image has long passed its watch.
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
    }

    [Fact]
    public void A_candidate_in_backoff_does_not_delay_a_restart_in_front()
    {
        _story.StartServing().PassWatch();
        _story.SecretVersion = "2";
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        for (var failure = 0; failure < 8; failure++)
        {
            _story.FailStart(Sample.Refused).CompleteInspections();
            while (failure < 7 && !_story.IsPending<Effect.StartContainer>())
            {
                _story.Advance(TimeSpan.FromSeconds(1)).CompleteInspections();
            }
        }
        Assert.True(Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Until - _story.Now > TimeSpan.FromMinutes(1));
        _story.ObserveContainers(_story.CurrentContainer.Exited(1)).CompleteSecretsRead().Advance(TimeSpan.FromSeconds(2))
            .CompleteInspections();
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
    }

    [Fact]
    public void An_old_container_whose_stop_failed_is_not_a_candidate()
    {
        _story.StartServing().PassWatch();
        var old = _story.CurrentContainer;
        SwapTo(Sample.NewerImage);
        _story.CompleteDrain().Tag = Sample.OldImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();   // what should serve is not on disk yet
        _story.FailStop(Sample.EngineUnreachable).Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.Equal(old.Id, Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Container.Id);
    }

    [Fact]
    public void When_the_old_container_dies_the_candidate_takes_its_place()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        var candidate = _story.State.Candidate!.Current!;
        _story.ForgetStartedEffects().ObserveContainers(_story.CurrentContainer.Exited(1), candidate);
        Assert.Equal(candidate, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
        Assert.Null(_story.State.Candidate);
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void When_the_old_container_dies_a_starting_candidate_takes_its_place()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).ForgetStartedEffects().ObserveContainers(_story.CurrentContainer.Exited(1));
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        _story.BecomeReady();
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void An_obsolete_candidate_is_stopped()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        _story.PushAndUpdate(Sample.OldImage);
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.CompleteStop().CompleteInspections();
        Assert.Equal(Sample.OldImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void With_another_configuration_the_old_container_stops_first()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewImage, config: "config-0")));
        _story.Boot().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void After_an_agent_crash_the_older_container_serves_and_the_newer_must_pass_its_gate()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        _story.RestartAgent().CompleteInspection();
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Image);
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Container.Image);
        _story.CompleteSecretsRead().CompleteResolve().CompleteFetch().AdvanceCompletingEffects(TimeSpan.FromSeconds(10));
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        Assert.Single(_story.Containers);
    }

    [Theory]
    [InlineData(ContainerStatus.Created)]   // killed between create and start
    [InlineData(ContainerStatus.Exited)]    // killed between stop and remove
    [InlineData(ContainerStatus.Dead)]
    internal void What_a_crash_of_the_agent_left_behind_is_removed_and_its_name_goes_to_the_one_that_runs(ContainerStatus status)
    {
        _story.StartServing();
        var left = Sample.RunningContainer("left", Sample.Release(Sample.OldImage)) with { Status = status };
        _story.Containers.Add(left);
        _story.RestartAgent().CompleteInspection();

        var stop = _story.SinglePending<Effect.StopContainer>();
        Assert.Equal(("left", _story.CurrentContainer.Id), (stop.Container.Id, stop.Successor?.Id));
        _story.CompleteStop().CompleteInspections().PassProbes();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void A_leftover_container_that_cannot_be_removed_is_tried_again_at_the_next_inspection()
    {
        _story.StartServing();
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)).Exited(1));
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections().FailStop(Sample.Refused).ForgetStartedEffects();
        Assert.True(_story.State.EngineIsReachable);
        Assert.False(_story.IsPending<Effect.StopContainer>());

        _story.AdvanceCompletingEffects(_story.Policy.InspectInterval);
        Assert.Equal(1, _story.CountStarted<Effect.StopContainer>());
    }

    [Fact]
    public void A_second_container_of_the_same_release_is_a_stray_with_start_first_too()
    {
        _story.StartServing();
        _story.ObserveContainers(_story.CurrentContainer, _story.CurrentContainer with { Id = "copy", StartedAt = "2026-01-02T00:00:00Z" });
        Assert.Equal("copy", _story.SinglePending<Effect.StopContainer>().Container.Id);
    }

    [Fact]
    public void A_stop_request_stops_the_candidate_too()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections().Request(RequestKind.Stop);
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_stop_request_does_not_wait_for_the_drain_of_the_old_container()
    {
        _story.StartServing();
        SwapTo(Sample.NewerImage);
        Assert.IsType<ContainerState.Draining>(_story.State.Candidate);
        _story.Request(RequestKind.Stop);
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_stop_request_succeeds_only_when_both_containers_are_gone()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections().Request(RequestKind.Stop)
            .CompleteStop();
        Assert.NotNull(_story.State.Requests.Current);
        _story.CompleteStop().CompleteInspections();
        Assert.Null(_story.State.Requests.Current);
        Assert.Null(_story.State.Requests.LastOutcome!.Problem);
    }

    [Fact]
    public void A_stop_request_drops_a_candidate_in_backoff()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
        _story.Request(RequestKind.Stop);
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void No_candidate_is_started_while_the_front_fails_its_probes()
    {
        _story.StartServing().Advance(_story.Policy.LivenessInterval).FailProbe();
        _story.PushAndUpdate(Sample.NewerImage);
        Assert.Null(_story.State.Candidate);
        _story.Advance(_story.Policy.LivenessInterval).PassProbe();
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Starting>(_story.State.Candidate).Release.Image);
    }

    [Fact]
    public void No_candidate_is_started_while_the_engine_does_not_answer()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().Handle(at => new Event.EngineChanged(at))
            .FailInspection().CompleteFetch();
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void A_candidate_whose_image_is_missing_is_fetched_before_it_starts_again()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).FailStart(Sample.ImageMissing).CompleteInspections()
            .ForgetStartedEffects();
        _story.Advance(TimeSpan.FromMinutes(1)).CompleteInspections();
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        Assert.Null(_story.State.Candidate);
        _story.CompleteFetch(pulled: 1);
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Starting>(_story.State.Candidate).Release.Image);
    }

    [Fact]
    public void A_draining_container_is_stopped_at_once_when_the_new_one_ends()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        SwapTo(Sample.NewerImage);
        _story.ObserveContainers(old, _story.CurrentContainer.Exited(1));
        var stopping = Assert.IsType<ContainerState.Stopping>(_story.State.Candidate);
        Assert.Equal((old.Id, new StopReason.Retired()), (stopping.Container.Id, stopping.Reason));
    }

    [Fact]
    public void A_crashing_candidate_waits_twice_as_long_each_time_and_reports_why()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage);
        var old = _story.CurrentContainer;
        foreach (var seconds in (double[])[1, 2])
        {
            _story.CompleteStart().CompleteInspections().ObserveContainers(old, _story.State.Candidate!.Current!.Exited(3));
            var wait = Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Until - _story.Now;
            Assert.InRange(wait.TotalSeconds, seconds * 0.8, seconds * 1.2);
            Assert.Equal(3, _story.State.Failures.Last?.Exit?.Code);
            _story.Advance(wait).CompleteInspections();
        }
    }

    [Fact]
    public void The_failures_of_a_candidate_are_not_counted_against_the_next_one()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        Assert.Equal(1, _story.State.Failures.OfCandidate);
        _story.PushAndUpdate(Sample.NewestImage);
        Assert.Equal(0, _story.State.Failures.OfCandidate);
    }

    [Fact]
    public void A_swap_clears_the_candidates_failures_and_the_old_containers_crashes()
    {
        _story.StartServing().Crash().RestartAfterBackoff().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused)
            .CompleteInspections();
        Assert.Equal((1, 1), (_story.State.Failures.Crashes, _story.State.Failures.OfCandidate));
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections().CompleteStart().CompleteInspections().PassProbe().PassProbe();
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        Assert.Equal((0, 0), (_story.State.Failures.Crashes, _story.State.Failures.OfCandidate));
    }

    private void CrashCandidateThreeTimes(Container old)
    {
        for (var crash = 0; crash < 3; crash++)
        {
            _story.CompleteStart().CompleteInspections();
            _story.ObserveContainers(old, _story.State.Candidate!.Current!.Exited(1));
            if (crash < 2)
            {
                _story.Advance(TimeSpan.FromSeconds(10)).CompleteInspections();
            }
        }
    }

    private void SwapTo(ImageName image) => _story.PushAndUpdate(image).CompleteStart().CompleteInspections().PassProbe().PassProbe();

    [Fact]
    public void The_run_in_front_is_remembered_however_many_candidates_come_and_go()
    {
        _story.StartServing();
        var front = _story.CurrentContainer;
        _story.PushAndUpdate(Sample.NewerImage);
        for (var candidate = 1; candidate <= 3; candidate++)
        {
            _story.CompleteStart().CompleteInspections().ObserveContainers(front, _story.State.Candidate!.Current!.Exited(1))
                .Advance(TimeSpan.FromMinutes(2)).CompleteInspections();
        }
        Assert.NotNull(_story.State.RunOf(front));
    }

    [Fact]
    public void A_leftover_started_by_hand_during_its_removal_is_inspected_before_any_start()
    {
        var left = Sample.RunningContainer("left", Sample.Release(Sample.OldImage));
        _story.StartServing().ObserveContainers(_story.CurrentContainer, left.Exited(1));
        Assert.IsType<StopReason.LeftOver>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.ObserveContainers(_story.CurrentContainer, left with { StartedAt = "2026-02-02T00:00:00Z" }).FailStop(Sample.Refused);
        Assert.False(_story.State.EngineIsReachable);
    }
}
