using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What follows from the session that the gate runs.</summary>
public class GateSessionTests
{
    private static readonly ProbeResult MissingModule = new ProbeResult.SessionFailed("ModuleNotFoundError: No module named 'x'", IsFinal: true);
    private static readonly ProbeResult Exception = new ProbeResult.SessionFailed("KeyError: 'x'", IsFinal: false);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    private readonly ContainerStory _story =
        new(new Policy { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, StartFirst = true });

    private TimeSpan? Limit => Assert.Single(GateAndStartupProbes).SessionLimit;

    private Problem? Cause => _story.State.Images.Verdict switch
    {
        Verdict.RolledBack rolledBack => rolledBack.Cause,
        Verdict.Quarantined quarantined => quarantined.Cause,
        _ => null,
    };

    private IEnumerable<Effect.Probe> GateAndStartupProbes =>
        _story.PendingEffects.OfType<Effect.Probe>().Where(probe => probe.Kind != ProbeKind.Liveness);

    [Fact]
    public void A_new_image_gets_three_minutes_for_its_session()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();

        Assert.Equal(TimeSpan.FromMinutes(3), Limit);
    }

    [Fact]
    public void Only_the_gate_runs_a_session()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage);

        Assert.Null(Limit);
    }

    [Fact]
    public void A_proven_image_gets_a_minute_because_visitors_wait()
    {
        _story.StartServing().PassWatch().Crash().WaitOutBackoff().CompleteStart().CompleteInspection().PassProbe();

        Assert.Equal(TimeSpan.FromMinutes(1), Limit);
    }

    [Fact]
    public void A_shorter_timeout_holds_for_a_proven_image_too()
    {
        _story.Policy = _story.Policy with { GateTimeout = TimeSpan.FromSeconds(20) };
        _story.StartServing().PassWatch().Crash().WaitOutBackoff().CompleteStart().CompleteInspection().PassProbe();

        Assert.Equal(TimeSpan.FromSeconds(20), Limit);
    }

    [Fact]
    public void Switched_off_the_gate_runs_no_session()
    {
        _story.Policy = _story.Policy with { GateRunsSession = false };
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();

        Assert.Null(Limit);
    }

    [Fact]
    public void A_container_that_passed_its_gate_is_adopted_without_a_session()
    {
        _story.StartServing().RestartAgent().CompleteInspections().PassProbe();

        Assert.Null(Limit);
    }

    [Fact]
    public void A_container_whose_gate_was_cut_short_by_a_crash_of_the_agent_gets_its_session()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();
        _story.RestartAgent().CompleteInspections().PassProbe();

        var gate = _story.PendingEffects.OfType<Effect.Probe>().Single(probe => probe.Kind == ProbeKind.Gate);
        Assert.Equal(TimeSpan.FromMinutes(3), gate.SessionLimit);
    }

    [Fact]
    public void A_container_of_a_proven_image_is_adopted_without_a_session_even_without_a_state_file()
    {
        var good = Sample.RunningContainer("found", Sample.Release(Sample.NewImage)) with { LastGood = Sample.NewImage };
        _story.Containers.Add(good);
        _story.RestartAgent(keepState: false).CompleteInspections().PassProbe();

        Assert.Null(Limit);
    }

    [Fact]
    public void A_missing_module_refuses_the_image_at_once()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(MissingModule);

        Assert.Equal(
            new StopReason.SessionFailed("ModuleNotFoundError: No module named 'x'"),
            Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal("app-session-failed", Cause?.Code);
        Assert.Contains("ModuleNotFoundError: No module named 'x'", Cause!.What, StringComparison.Ordinal);
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void An_exception_refuses_the_image_after_three_sessions_over_half_a_minute()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(Exception);
        _story.Advance(Pause).PassProbe().CompleteProbe(Exception);
        Assert.IsType<ContainerState.Probing>(_story.State.Candidate);

        _story.Advance(Pause).PassProbe().CompleteProbe(Exception);

        Assert.IsType<StopReason.SessionFailed>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        Assert.Equal("app-session-failed", Cause?.Code);
    }

    [Fact]
    public void The_next_session_waits_until_the_script_of_the_last_one_can_have_ended()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(Exception);

        _story.Advance(Pause - TimeSpan.FromMilliseconds(1));
        Assert.Empty(GateAndStartupProbes);
        _story.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(ProbeKind.Startup, Assert.Single(GateAndStartupProbes).Kind);
    }

    [Fact]
    public void A_session_that_works_clears_the_ones_that_failed_before()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(Exception);
        _story.Advance(Pause).PassProbe().CompleteProbe(new ProbeResult.Passed { Session = SessionReading.Works });

        var serving = Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Equal((SessionReading.Works, null), (serving.Session, serving.SessionError));
        Assert.Equal(Sample.NewerImage, serving.Container.Image);
    }

    [Fact]
    public void Another_failed_probe_between_two_sessions_starts_the_count_again()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(Exception);
        _story.Advance(Pause).FailProbe();

        Assert.Null(Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Session);
    }

    [Fact]
    public void A_proven_image_serves_whatever_its_session_showed()
    {
        _story.StartServing().PassWatch().Crash().WaitOutBackoff().CompleteStart().CompleteInspection();
        _story.PassProbe().CompleteProbe(MissingModule);

        var serving = Assert.IsType<ContainerState.Serving>(_story.State.Front);
        Assert.Equal("ModuleNotFoundError: No module named 'x'", serving.SessionError);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void A_refused_image_is_not_started_again_when_the_newer_one_can_not_be_fetched()
    {
        _story.Policy = _story.Policy with { StartFirst = false };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        _story.CompleteStart().CompleteInspections().PassProbe().CompleteProbe(MissingModule);

        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
    }

    [Fact]
    public void A_first_image_whose_page_fails_keeps_running_and_is_tried_again_after_growing_pauses()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        var pauses = new List<TimeSpan>();
        for (var session = 0; session < 6; session++)
        {
            _story.PassProbe().CompleteProbe(MissingModule);
            var begin = _story.Now;
            while (!_story.IsPending<Effect.Probe>())
            {
                _story.Advance(TimeSpan.FromSeconds(1)).CompleteInspections();
            }
            pauses.Add(_story.Now - begin);
        }

        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        Assert.Equal([18, 36, 72, 144, 288, 300], pauses.Select(pause => (int)pause.TotalSeconds));
        Assert.Equal(1, _story.CountStarted<Effect.StartContainer>());
        Assert.Equal(new Verdict.OnTrial(Sample.NewImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void A_push_replaces_a_first_image_whose_page_fails_at_once()
    {
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().CompleteStart().CompleteInspections();
        _story.PassProbe().CompleteProbe(MissingModule).PushAndUpdate(Sample.NewerImage);

        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        Assert.Empty(_story.State.Images.KnownGood);
    }

    [Fact]
    public void A_process_that_ends_in_its_session_refuses_the_image_at_once()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();
        _story.ObserveContainers(_story.CurrentContainer, _story.State.Candidate!.Current!.Exited(3));

        Assert.Equal("app-session-failed", Cause?.Code);
        Assert.Contains("exited with code 3 when its page was opened", Cause!.What, StringComparison.Ordinal);
        Assert.IsType<StopReason.LeftOver>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_process_that_ends_after_its_session_was_closed_refuses_the_image_too()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();
        _story.CompleteProbe(new ProbeResult.SessionFailed("the app closed the session", IsFinal: false));
        _story.ObserveContainers(_story.CurrentContainer, _story.State.Candidate!.Current!.Exited(3));

        Assert.Equal("app-session-failed", Cause?.Code);
    }

    [Fact]
    public void Running_out_of_memory_in_a_session_counts_as_one_crash()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();
        _story.ObserveContainers(_story.CurrentContainer, _story.State.Candidate!.Current!.Exited(137, outOfMemory: true));

        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 2, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void When_the_image_before_it_fails_in_the_same_way_the_new_one_may_not_be_to_blame()
    {
        _story.Policy = _story.Policy with { StartFirst = false };
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        _story.CompleteStart().CompleteInspections().PassProbe().CompleteProbe(MissingModule).CompleteStop().CompleteInspections();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);

        _story.RereadSecrets().CompleteStart().CompleteInspections().PassProbe().CompleteProbe(Exception);

        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);
        Assert.Equal(Sample.NewImage, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void A_long_session_is_not_cut_by_the_startup_deadline()
    {
        _story.Policy = _story.Policy with { StartupDeadline = TimeSpan.FromSeconds(10) };
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe();

        _story.Advance(TimeSpan.FromMinutes(2)).CompleteInspections();

        Assert.IsType<ContainerState.Probing>(_story.State.Candidate);
    }

    [Fact]
    public void A_probe_that_could_not_be_sent_in_the_gate_is_repeated_no_sooner_than_its_session_can_have_ended()
    {
        _story.StartServing().PassWatch().StartCandidate(Sample.NewerImage).PassProbe().CompleteProbe(new ProbeResult.NotSent("no port is free"));

        _story.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(GateAndStartupProbes);
        _story.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Single(GateAndStartupProbes);
    }
}
