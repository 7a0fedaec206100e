using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What happens in the two places for a container, and in which order.</summary>
public class SlotPlanningTests
{
    private readonly ContainerStory _story = new(new Policy
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        StartFirst = true
    });

    [Fact]
    public void A_candidate_takes_the_place_of_a_front_that_someone_restarted()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage);
        var candidate = _story.State.Candidate!.Current!;
        _story.ObserveContainers(_story.CurrentContainer with { StartedAt = "2026-02-02T00:00:00Z" }, candidate);
        Assert.Equal(candidate.Id, _story.SinglePending<Effect.StopContainer>().Successor?.Id);
        _story.CompleteStop();
        Assert.Equal(candidate.Id, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Id);
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void A_candidate_that_takes_the_place_of_a_dead_front_starts_with_a_clean_record()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        _story.Advance(TimeSpan.FromSeconds(2)).CompleteInspections();
        Assert.IsType<ContainerState.Starting>(_story.State.Candidate);
        _story.ObserveContainers(_story.CurrentContainer.Exited(1));
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        Assert.Equal(0, _story.State.Failures.OfCandidate);
    }

    [Fact]
    public void Nothing_is_started_in_front_before_the_old_container_beside_it_is_gone()
    {
        _story.StartServing();
        var old = _story.CurrentContainer;
        _story.SwapToCandidate(Sample.NewerImage).ForgetStartedEffects();
        _story.ObserveContainers(old, _story.CurrentContainer.Exited(1)).RereadSecrets().Advance(TimeSpan.FromMinutes(1))
            .CompleteInspections();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
        Assert.Equal(old.Id, Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Container.Id);
        Assert.Equal(0, _story.CountStarted<Effect.StartContainer>());
        _story.CompleteStop().CompleteInspections();
        Assert.Equal(1, _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void A_stop_that_an_operator_asks_for_waits_for_an_engine_that_is_away()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage).LoseEngine().Request(RequestKind.Stop);
        Assert.False(_story.IsPending<Effect.StopContainer>());
        Assert.IsType<ContainerState.Probing>(_story.State.Candidate);
        _story.RecoverEngine();
        Assert.Equal(2, _story.CountStarted<Effect.StopContainer>());
    }

    [Fact]
    public void A_container_is_not_replaced_while_the_engine_is_away()
    {
        _story.Policy = _story.Policy with { StartFirst = false };
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().LoseEngine().CompleteFetch();
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
        _story.RecoverEngine();
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_container_that_was_found_and_fails_is_not_replaced_while_the_engine_is_away()
    {
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.OldImage)));
        _story.Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().LoseEngine().FailProbe();
        Assert.IsType<ContainerState.Probing>(_story.State.Front);
        _story.RecoverEngine();
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void A_candidate_that_is_not_wanted_any_more_is_left_alone_while_the_engine_is_away()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage).SecretVersion = "2";
        _story.Request(RequestKind.Update).CompleteResolve().LoseEngine().CompleteSecretsRead();
        Assert.IsType<ContainerState.Probing>(_story.State.Candidate);
        _story.RecoverEngine();
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
    }

    [Fact]
    public void A_draining_container_is_left_alone_while_the_engine_is_away()
    {
        var draining = new ContainerState.Draining(1, Sample.RunningContainer("old", Sample.Release(Sample.OldImage)));
        var state = new AgentState
        {
            Front = new ContainerState.Unknown(),
            Candidate = draining,
            Engine = Sample.LoadFailed(Sample.EngineUnreachable, new Inventory([], "20.10")),
        };
        Assert.Equal(draining, Reducer.Next(state, new Event.Tick(Moment.Zero), _story.Policy).State.Candidate);
    }

    [Fact]
    public void A_candidate_is_not_started_before_a_pending_inspection_is_answered()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().Handle(at => new Event.EngineChanged(at))
            .CompleteFetch();
        Assert.Null(_story.State.Candidate);
        _story.CompleteInspections();
        Assert.IsType<ContainerState.Starting>(_story.State.Candidate);
    }

    [Fact]
    public void A_good_image_that_is_broken_is_not_started_beside_the_one_that_failed()
    {
        var serving = new ContainerState.Serving(Sample.RunningContainer("front", Sample.Release(Sample.NewerImage)), Moment.Zero, 0,
            default, null);
        var state = new AgentState
        {
            Front = serving,
            Engine = Sample.Loaded(new Inventory([serving.Container], "20.10")),
            Secrets = Sample.Loaded(Sample.Secrets("1")),
            Tag = Sample.Loaded(Sample.ResolutionOf(Sample.NewerImage)),
            Images = new ImageHistory
            {
                KnownGood = [Sample.NewImage],
                Verdict = new Verdict.Quarantined(Sample.NewerImage, Sample.Refused)
            },
        };
        ContainerState? CandidateAfterTick(AgentState before) =>
            Reducer.Next(before, new Event.Tick(Moment.Zero), _story.Policy).State.Candidate;
        Assert.IsType<ContainerState.Starting>(CandidateAfterTick(state));
        Assert.Null(CandidateAfterTick(state.WithDefect(new ImageDefect(Sample.NewImage, IsCorrupt: true))));
    }

    [Fact]
    public void The_image_that_serves_beside_the_first_candidate_is_the_one_to_go_back_to()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage);
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void The_removal_of_a_container_that_has_ended_needs_no_notes()
    {
        _story.StartServing()
            .ObserveContainers(_story.CurrentContainer, Sample.RunningContainer("left", Sample.Release(Sample.OldImage)).Exited(1));
        Assert.True(_story.IsPending<Effect.StopContainer>());
        Assert.DoesNotContain(_story.Memory.Runs, run => run.ContainerId == "left");
    }

    [Fact]
    public void A_container_is_drained_once_whatever_happens_meanwhile()
    {
        _story.StartServing().SwapToCandidate(Sample.NewerImage);
        _story.Handle(at => new Event.SessionsChanged(at, Sample.OpaqueSessions(2))).Handle(at => new Event.ActivitySeen(at));
        Assert.Equal(1, _story.CountStarted<Effect.Drain>());
    }

    [Fact]
    public void An_app_that_serves_is_not_probed_again_while_a_probe_is_under_way()
    {
        _story.StartServing().ForgetStartedEffects().Advance(_story.Policy.LivenessInterval * 3);
        _story.Handle(at => new Event.ActivitySeen(at));
        Assert.Equal(1, _story.CountStarted<Effect.Probe>());
    }

    [Fact]
    public void A_candidate_that_waits_for_its_next_try_does_not_keep_the_agent_awake()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).FailStart(Sample.Refused).CompleteInspections();
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
        _story.Handle(at => new Event.EngineChanged(at)).Advance(TimeSpan.FromMinutes(5));
        Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate);
    }

    [Fact]
    public void A_candidate_that_passes_its_gate_while_the_front_is_being_stopped_starts_over()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage);
        _story.ObserveContainers(_story.CurrentContainer with { StartedAt = "2026-02-02T00:00:00Z" }, _story.State.Candidate!.Current!);
        _story.PassProbe();
        Assert.Equal(ProbeKind.Gate, Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Stage);
        _story.PassProbe();
        Assert.Equal(ProbeKind.Startup, Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Stage);
    }

    [Fact]
    public void A_probe_that_is_over_says_nothing_about_the_candidate()
    {
        _story.StartServing().StartCandidate(Sample.NewerImage);
        var before = _story.State.Candidate;
        _story.Handle(at => new Event.Probed(at, 9_999, Sample.ProbeOutcome("too late")));
        Assert.Equal(before, _story.State.Candidate);
    }

    [Fact]
    public void A_candidate_without_an_image_label_that_takes_over_leaves_the_last_image_known()
    {
        _story.Containers.Add(Sample.RunningContainer("front", Sample.Release(Sample.NewImage)));
        _story.Boot().CompleteInspection().PassProbes();
        _story.ObserveContainers(_story.CurrentContainer,
            Sample.RunningContainer("second", Sample.Release(Sample.NewerImage), "2026-01-03T00:00:00Z") with { Image = null });
        _story.PassProbes();
        Assert.Equal("second", Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Id);
        Assert.Equal(Sample.NewImage, _story.State.Images.LastRun);
    }
}
