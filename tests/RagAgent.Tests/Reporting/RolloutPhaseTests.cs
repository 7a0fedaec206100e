using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Reporting;

/// <summary>Where the newest image is on its way to being the last good one, as people see it in the status.</summary>
public class RolloutPhaseTests
{
    private readonly ContainerStory _story = new();

    private string Phase => RolloutPhaseName.Of(_story.State, _story.Policy);

    [Fact]
    public void From_the_boot_to_the_end_of_the_watch_the_first_image_goes_through_all_phases()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead();
        Assert.Equal("resolve", Phase);
        _story.CompleteResolve();
        Assert.Equal("pull", Phase);
        _story.CompleteFetch();
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        Assert.Equal("candidate", Phase);
        _story.CompleteStart().CompleteInspections();
        Assert.Equal("candidate", Phase);
        _story.PassProbe();
        Assert.Equal("gate", Phase);
        _story.PassProbe();
        Assert.Equal("watch", Phase);
        _story.PassWatch();
        Assert.Equal("settled", Phase);
    }

    [Fact]
    public void An_update_that_replaces_the_old_container_is_a_swap_until_that_is_gone()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        Assert.Equal("swap", Phase);
        _story.CompleteStop().CompleteInspections();
        Assert.Equal("candidate", Phase);
    }

    [Fact]
    public void Side_by_side_the_phases_are_candidate_gate_swap_and_watch()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage);
        Assert.IsType<ContainerState.Starting>(_story.State.Candidate);
        Assert.Equal("candidate", Phase);
        _story.CompleteStart().CompleteInspections();
        Assert.Equal("candidate", Phase);
        _story.PassProbe();
        Assert.Equal("gate", Phase);
        _story.PassProbe();
        Assert.IsType<ContainerState.Draining>(_story.State.Candidate);
        Assert.Equal("swap", Phase);
        _story.CompleteDrain();
        Assert.IsType<ContainerState.Stopping>(_story.State.Candidate);
        Assert.Equal("swap", Phase);
        _story.CompleteStop().CompleteInspections();
        Assert.Equal("watch", Phase);
    }

    [Fact]
    public void A_candidate_in_backoff_is_still_the_candidate()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
        Assert.Equal("candidate", Phase);
    }

    [Fact]
    public void A_candidate_that_never_became_healthy_is_not_swapped_in()
    {
        _story.Policy = _story.Policy with { StartFirst = true };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStart().CompleteInspections();
        while (_story.State.Candidate is ContainerState.Probing)
        {
            if (_story.PendingEffects.OfType<Effect.Probe>().Any(probe => probe.Container.Image == Sample.NewerImage))
            {
                _story.FailProbe();
            }
            _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        }
        Assert.IsType<StopReason.NeverHealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal("rolled-back", Phase);
    }

    [Fact]
    public void A_newer_image_that_waits_for_sessions_to_end_is_waiting()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().PassWatch().Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(1))).Tag = Sample.NewerImage;
        _story.AdvanceCompletingEffects(TimeSpan.FromMinutes(6));
        Assert.Equal("waiting", Phase);
    }

    [Fact]
    public void A_failed_image_stays_rolled_back_during_and_after_the_watch_of_the_previous_one()
    {
        FailsItsTrial();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
        Assert.Equal("rolled-back", Phase);
        _story.BecomeReady();
        Assert.Equal("rolled-back", Phase);
        _story.PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict);
        Assert.Equal("rolled-back", Phase);
    }

    [Fact]
    public void Two_images_that_fail_leave_the_rollout_undecided()
    {
        FailsItsTrial();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.BecomeReady().Crash().WaitOutBackoff();
        }
        Assert.Equal("undecided", Phase);
    }

    [Fact]
    public void An_image_on_trial_in_backoff_is_still_the_candidate()
    {
        _story.StartServing().Crash().RereadSecrets();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.Equal("candidate", Phase);
    }

    [Fact]
    public void A_proven_image_stays_settled_while_it_is_restarted_after_a_crash()
    {
        _story.StartServing().PassWatch().Crash();
        Assert.Equal("settled", Phase);
        _story.WaitOutBackoff();
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        Assert.Equal("settled", Phase);
        _story.CompleteStart().CompleteInspections();
        Assert.Equal("settled", Phase);
        _story.PassProbe();
        Assert.Equal("settled", Phase);
        _story.PassProbe();
        Assert.Equal("settled", Phase);
    }

    [Fact]
    public void A_proven_image_stays_settled_while_the_app_is_stopped_on_purpose()
    {
        _story.StartServing().PassWatch().Request(RequestKind.Stop).CompleteStop().CompleteInspections();
        Assert.Equal("settled", Phase);
    }

    [Fact]
    public void An_image_on_trial_that_is_being_stopped_on_purpose_is_not_in_a_swap()
    {
        _story.StartServing().Request(RequestKind.Stop);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
        Assert.Equal("none", Phase);
    }

    [Fact]
    public void A_proven_image_that_the_agent_adopts_stays_settled()
    {
        _story.StartServing().PassWatch().RestartAgent().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.Equal(ProbeKind.Startup, Assert.IsType<ContainerState.Probing>(_story.State.Front).Stage);
        Assert.Equal("settled", Phase);
        _story.PassProbe();
        Assert.Equal(ProbeKind.Gate, Assert.IsType<ContainerState.Probing>(_story.State.Front).Stage);
        Assert.Equal("settled", Phase);
    }

    [Fact]
    public void An_adopted_image_on_trial_stays_the_candidate_through_its_gate()
    {
        _story.StartServing().RestartAgent().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().PassProbe();
        Assert.Equal(ProbeKind.Gate, Assert.IsType<ContainerState.Probing>(_story.State.Front).Stage);
        Assert.Equal("candidate", Phase);
    }

    [Fact]
    public void A_newer_image_that_cannot_be_pulled_while_the_app_is_stopped_is_in_no_phase()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        _story.StartServing().PassWatch().Request(RequestKind.Stop).CompleteStop().CompleteInspections().Tag = Sample.NewerImage;
        _story.Advance(TimeSpan.FromMinutes(6)).CompleteResolve().FailFetch();
        Assert.Equal("none", Phase);
    }

    /// <summary>The newer image has crashed three times, and the one before it is about to be started.</summary>
    private void FailsItsTrial()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap()
            .Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().Crash().RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }
}
