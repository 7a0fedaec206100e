using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What an inspection says about the container beside the one that serves.</summary>
public class CandidateInspectionTests
{
    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        StartFirst = true
    });

    private Container Candidate => _story.State.Candidate!.Current!;

    [Fact]
    public void A_candidate_that_someone_else_restarted_is_stopped_because_it_lost_its_secrets()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer, Candidate with { StartedAt = "2026-01-03T00:00:00Z" });
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal(0, _story.State.Failures.OfCandidate);
    }

    [Fact]
    public void A_draining_container_that_someone_else_restarted_is_stopped_at_once()
    {
        _story.StartServing().SwapToCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer, Candidate with { StartedAt = "2026-01-03T00:00:00Z" });
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_candidate_that_someone_paused_gets_no_strike_for_not_answering()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer, Candidate with { Status = ContainerStatus.Paused });
        Assert.Equal(ContainerStatus.Paused, Candidate.Status);
        while (_story.State.Candidate is ContainerState.Probing)
        {
            FailOrPassProbes();
        }
        Assert.IsType<StopReason.NeverHealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_draining_container_that_ends_by_itself_is_no_failure()
    {
        _story.StartServing().SwapToCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer);
        Assert.Null(_story.State.Candidate);
        Assert.Null(_story.State.Failures.Last);
        Assert.Equal(0, _story.State.Failures.OfCandidate);
    }

    [Fact]
    public void A_candidate_whose_stop_an_earlier_life_requested_may_end_without_a_strike()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PushAndUpdate(Sample.NewestImage);
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        var (front, candidate) = (_story.CurrentContainer, Candidate);

        _story.RestartAgent().CompleteInspections().PassProbes();
        Assert.Equal(candidate.Id, Candidate.Id);
        _story.ObserveContainers(front);
        Assert.Null(_story.State.Candidate);
        Assert.Null(_story.State.Failures.Last);
    }

    [Fact]
    public void A_candidate_that_someone_removes_is_started_again_after_a_delay()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer);
        Assert.Equal("container-removed", Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Cause.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_candidate_whose_deadline_passed_during_an_engine_outage_gets_another_deadline()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().LoseEngine();
        _story.Advance(_story.Policy.StartupDeadline * 2).CompleteInspections();
        Assert.IsType<ContainerState.Probing>(_story.State.Candidate);
        Assert.Equal(_story.Now, ((ContainerState.Probing)_story.State.Candidate!).Since);
    }

    [Fact]
    public void A_short_engine_outage_changes_nothing_about_a_candidate()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        var before = _story.State.Candidate;

        _story.LoseEngine().RecoverEngine();

        Assert.Equal(before, _story.State.Candidate);
    }

    [Fact]
    public void A_candidate_that_is_being_started_is_not_mistaken_for_a_replacement_of_the_front()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage);
        var release = _story.SinglePending<Effect.StartContainer>().Release;
        _story.ObserveContainers(_story.CurrentContainer.Exited(1),
            Sample.RunningContainer("half-started", release, "2026-01-02T00:00:00Z"));
        Assert.Equal(release, Assert.IsType<ContainerState.Starting>(_story.State.Front).Release);
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void The_name_that_a_candidate_gets_after_the_swap_is_the_one_that_people_see()
    {
        _story.StartServing().SwapToCandidate(Sample.NewerImage).RetireOld();
        _story.ObserveContainers(_story.CurrentContainer with { Name = "ragstream" });
        Assert.Equal("ragstream", _story.CurrentContainer.Name);
    }

    [Fact]
    public void A_candidate_that_is_being_started_is_not_forgotten_when_the_engine_hangs_for_a_moment()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).Handle(at => new Event.EngineChanged(at))
            .FailInspection(Sample.EngineSilent);
        _story.RecoverEngine();
        Assert.IsType<ContainerState.Starting>(_story.State.Candidate);
    }

    [Fact]
    public void A_candidate_that_someone_restarted_and_that_ended_since_has_failed()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer, Candidate.Exited(1) with { StartedAt = "2026-01-03T00:00:00Z" });
        Assert.Equal("app-exited", Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Cause.Problem.Code);
    }

    private void FailOrPassProbes()
    {
        foreach (var probe in _story.PendingEffects.OfType<Effect.Probe>().ToList())
        {
            _story.CompleteProbe(Sample.ProbeOutcome(_story.PendingEffects.OfType<Effect.Probe>()
                .Last().Kind == ProbeKind.Liveness ? null : "no answer"));
        }
        _story.Advance(TimeSpan.FromSeconds(1)).CompleteInspections();
    }
}
