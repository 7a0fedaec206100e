using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A new image is on trial until it has served well for the whole watch.</summary>
public class RolloutStoryTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_image_that_has_served_through_the_watch_is_the_last_good_one()
    {
        _story.StartServing();
        Assert.Empty(_story.State.KnownGood);
        _story.PassWatch();
        Assert.Equal([Sample.NewImage], _story.State.KnownGood);
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void One_that_ended_while_nobody_could_ask_it_and_nobody_told_of_it_has_proven_nothing()
    {
        _story.StartServing().Advance(_story.Policy.Watch + TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.KnownGood);

        _story.Containers[0] = _story.Containers[0].Exited(0);
        _story.CompleteInspections();

        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.Empty(_story.State.KnownGood);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void One_that_serves_and_makes_room_is_better_than_nothing_to_go_back_to_unless_it_failed_before(int crashes, bool isKept)
    {
        _story.StartServing();
        for (var crash = 0; crash < crashes; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }

        _story.PushAndUpdate(Sample.NewerImage);

        Assert.Equal(isKept ? [Sample.NewImage] : [], _story.State.KnownGood);
    }

    [Fact]
    public void The_one_before_it_is_kept_to_go_back_to_and_no_other()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.KnownGood);
        _story.PushAndUpdate(Sample.OldImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.OldImage, Sample.NewerImage], _story.State.KnownGood);
    }

    [Fact]
    public void A_run_that_ends_before_the_watch_does_not_count()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.KnownGood);
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(1));
        Assert.Equal([Sample.NewImage], _story.State.KnownGood);
    }

    [Fact]
    public void Three_crashes_bring_the_last_good_one_back_at_once_from_the_disk()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().ForgetStartedEffects().Crash();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>() + _story.CountStarted<Effect.ResolveTag>());
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void So_do_crashes_before_its_gate()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.CompleteStart().CompleteInspections().Crash().RereadSecrets();
            _story.Advance(_story.State.Front is ContainerState.BackingOff waiting ? waiting.Until - _story.Now : TimeSpan.Zero).CompleteInspections();
        }
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void So_does_one_missed_deadline()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections().CompleteStart().CompleteInspections();
        NeverReady();
        _story.CompleteStop().CompleteInspections().RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void So_do_two_liveness_kills_within_the_watch()
    {
        DeployNewer();
        Hang();
        _story.CompleteStop().RestartAfterBackoff();
        Assert.IsType<Verdict.OnTrial>(_story.State.Verdict);
        Hang();
        _story.CompleteStop().CompleteInspections().RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Theory]
    [InlineData("engine-refused")]
    [InlineData("engine-user")]
    [InlineData("image-without-shell")]
    public void Three_starts_that_fail_by_what_is_in_the_image_bring_the_last_good_one_back(string code)
    {
        DeployNewer(serves: false);
        for (var failure = 1; failure <= 3; failure++)
        {
            Assert.IsType<Verdict.OnTrial>(_story.State.Verdict);
            _story.FailStart(new Problem(ProblemCatalog.Find(code), "It can't be.", "Do this.")).CompleteInspections();
            if (failure < 3)
            {
                _story.WaitOutBackoff();
            }
        }
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
    }

    [Fact]
    public void An_image_that_runs_out_of_memory_three_times_is_rolled_back()
    {
        DeployNewer();
        for (var crash = 1; crash <= 3; crash++)
        {
            Assert.IsType<Verdict.OnTrial>(_story.State.Verdict);
            _story.ObserveContainers(_story.CurrentContainer.Exited(137, outOfMemory: true));
            if (crash < 3)
            {
                _story.RestartAfterBackoff();
            }
        }
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
    }

    [Fact]
    public void One_crash_and_one_liveness_kill_are_not_yet_enough_to_roll_back()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        Hang();
        Assert.IsType<Verdict.OnTrial>(_story.State.Verdict);
    }

    [Fact]
    public void Of_two_good_images_the_newer_one_is_gone_back_to()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.KnownGood);
        _story.PushAndUpdate(Sample.NewestImage).CompleteSwap();
        CrashThroughTrial();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void An_image_on_trial_is_on_trial_no_more_when_the_tag_goes_back_to_a_good_one()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        Assert.Equal(2, Assert.IsType<Verdict.OnTrial>(_story.State.Verdict).Strikes);
        _story.PushAndUpdate(Sample.NewImage).CompleteSwap();
        Assert.Null(_story.State.Verdict);
        Assert.Equal([Sample.NewImage], _story.State.KnownGood);
    }

    [Fact]
    public void Only_the_image_that_replaces_the_one_on_trial_begins_a_trial_of_its_own_without_strikes()
    {
        DeployNewer().Crash().RestartAfterBackoff().PushAndUpdate(Sample.NewestImage).CompleteSwap();
        Assert.Equal(new Verdict.OnTrial(Sample.NewestImage, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void An_image_without_another_one_to_go_back_to_collects_no_more_strikes_than_end_a_trial()
    {
        _story.StartServing();
        for (var crash = 0; crash < 5; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }
        Assert.Equal(new Verdict.OnTrial(Sample.NewImage, Rollout.MaxStrikes, 1), _story.State.Verdict);
    }

    [Fact]
    public void A_crash_of_the_image_that_was_brought_back_is_counted_against_it_and_three_leave_the_rollout_undecided()
    {
        RollBack();
        for (var crash = 1; crash <= 3; crash++)
        {
            Assert.Equal(2 * (crash - 1), Assert.IsType<Verdict.RolledBack>(_story.State.Verdict).Strikes);
            _story.Crash().RestartAfterBackoff();
        }
        Assert.IsType<Verdict.Undecided>(_story.State.Verdict);
    }

    [Fact]
    public void Old_images_are_not_removed_again_when_the_newest_good_one_proves_itself_once_more()
    {
        RollBack().ForgetStartedEffects().PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Verdict);
        Assert.Equal(0, _story.CountStarted<Effect.CleanUpImages>());
    }

    [Fact]
    public void Without_another_image_it_is_started_again_for_ever()
    {
        _story.StartServing();
        for (var crash = 0; crash < 20; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }
        Assert.Equal(Sample.NewImage, _story.CurrentContainer.Image);
    }

    [Fact]
    public void One_that_served_before_anything_was_proven_is_better_than_none_to_go_back_to()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteSwap();
        CrashThroughTrial();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void The_image_is_quarantined_once_the_one_before_it_has_served_well()
    {
        RollBack();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.PassWatch();
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
        Assert.Equal([Sample.NewImage], _story.State.KnownGood);
    }

    [Fact]
    public void It_is_not_tried_again_however_often_the_tag_is_looked_at()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        RollBack().PassWatch().ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromHours(3));
        Assert.True(_story.CountStarted<Effect.ResolveTag>() > 30);
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>() + _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void Nor_after_a_reboot()
    {
        RollBack().PassWatch().Containers.Clear();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        Assert.False(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void Nor_after_a_reboot_while_the_registry_is_out_of_reach()
    {
        RollBack().PassWatch().Containers.Clear();
        _story.Containers.Add(Sample.RunningContainer("left", Sample.Release(Sample.NewerImage)).Exited(1));
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead();
        while (!_story.IsPending<Effect.StartContainer>())
        {
            _story.FailResolve().Advance(TimeSpan.FromSeconds(40)).CompleteInspections();
        }
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void It_is_tried_when_the_tag_has_moved_to_something_else()
    {
        RollBack().PassWatch().PushAndUpdate(Sample.OldImage);
        Assert.Equal(Sample.OldImage, Assert.IsType<ContainerState.Stopping>(_story.State.Front) is not null ? DesiredRelease.Of(_story.State, _story.Policy)?.Image : null);
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void And_when_the_tag_has_moved_away_and_back()
    {
        RollBack().PassWatch().Tag = Sample.OldImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.Verdict);
        _story.Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void An_update_says_why_the_newest_is_not_run()
    {
        RollBack().PassWatch().Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Equal("image-quarantined", _story.State.LastOutcome?.Problem?.Code);
        Assert.Contains("exited with code 1", _story.State.LastOutcome!.Problem!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_update_that_brought_it_fails_when_it_is_rolled_back_and_not_before()
    {
        DeployNewer(serves: false).CompleteStart().CompleteInspections().Crash();
        Assert.NotNull(_story.State.Request);
        _story.WaitOutBackoff().CompleteStart().CompleteInspections().Crash().WaitOutBackoff().CompleteStart().CompleteInspections().Crash().RereadSecrets().BecomeReady();
        Assert.Equal("image-quarantined", _story.State.LastOutcome?.Problem?.Code);
    }

    [Fact]
    public void When_the_last_good_one_fails_as_well_nothing_is_quarantined_and_nothing_goes_back_and_forth()
    {
        RollBack();
        CrashThroughTrial();
        Assert.IsType<Verdict.Undecided>(_story.State.Verdict);
        for (var crash = 0; crash < 20; crash++)
        {
            _story.RestartAfterBackoff().Crash();
            Assert.Equal(Sample.Release(Sample.NewImage).Id, _story.State.LastFailure?.ReleaseId);
        }
        Assert.True(_story.State.Crashes > 20);
    }

    [Fact]
    public void Once_the_last_good_one_has_proven_itself_after_all_the_newer_one_is_tried_once_more_and_then_not_again()
    {
        RollBack();
        CrashThroughTrial();
        _story.RestartAfterBackoff().PassWatch();
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 2), _story.State.Verdict);
        _story.Containers.RemoveAll(c => c.Image == Sample.NewImage);
        CrashThroughTrial();
        _story.BecomeReady();
        CrashThroughTrial();
        _story.RestartAfterBackoff().PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Verdict);
    }

    [Fact]
    public void With_other_secrets_the_newer_one_is_tried_at_once()
    {
        RollBack();
        CrashThroughTrial();
        _story.SecretVersion = "2";
        _story.RestartAfterBackoff().Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewerImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void That_it_failed_with_other_secrets_speaks_against_it_no_more_while_the_one_before_it_is_watched()
    {
        RollBack().SecretVersion = "2";
        _story.Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewerImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_rollback_that_was_asked_for_outlives_newer_secrets()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Rollback).CompleteSecretsRead().CompleteResolve().CompleteSwap().SecretVersion = "2";
        _story.Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData("container-name-taken")]
    [InlineData("engine-port-taken")]
    [InlineData("engine-mount")]
    [InlineData("disk-full")]
    public void What_any_image_would_have_met_is_not_held_against_this_one(string code)
    {
        DeployNewer(serves: false);
        for (var failure = 0; failure < 10; failure++)
        {
            _story.FailStart(new Problem(ProblemCatalog.Find(code), "It can't be.", "Do this.")).CompleteInspections().WaitOutBackoff();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Verdict).Strikes);
    }

    [Fact]
    public void Nor_what_ended_with_the_engine()
    {
        DeployNewer();
        for (var restart = 0; restart < 5; restart++)
        {
            _story.Handle(at => new Event.EngineDisconnected(at)).ObserveContainers(_story.CurrentContainer.Exited(137));
            Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
            _story.RestartAfterBackoff();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Verdict).Strikes);
    }

    [Fact]
    public void Strikes_are_not_forgotten_when_the_agent_begins_anew()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().RestartAgent().CompleteInspection().PassProbes().CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Crash().RereadSecrets();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
    }

    [Fact]
    public void Without_its_notes_the_agent_reads_on_the_containers_labels_what_was_good_and_what_was_not()
    {
        RollBack().PassWatch().RestartAgent(keepState: false).CompleteInspection();
        Assert.Equal([Sample.NewImage], _story.State.KnownGood);
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
        _story.PassProbes().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_good_image_that_is_broken_on_disk_is_fetched_again_before_it_is_gone_back_to()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(new Problem(ProblemCatalog.ImageCorrupt, "A layer is broken.", "")).CompleteInspections().RereadSecrets();
        Assert.Equal(new Effect.FetchFallback(Sample.NewImage, Replace: true), _story.SinglePending<Effect.FetchFallback>());
        _story.Advance(TimeSpan.FromMinutes(1)).CompleteFallbackFetch().CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void One_that_the_registry_has_not_either_is_given_up_and_the_newer_one_is_better_than_none()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets();
        _story.FailFallbackFetch(new Problem(ProblemCatalog.RegistryTagMissing, "It is gone.", "")).Advance(TimeSpan.FromMinutes(1)).CompleteInspections();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_rollback_that_was_asked_for_and_has_nothing_to_go_back_to_any_more_leaves_a_proven_image_proven()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Rollback).CompleteSecretsRead().CompleteResolve();
        _story.CompleteStop().CompleteInspections().FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets();
        _story.FailFallbackFetch(new Problem(ProblemCatalog.RegistryTagMissing, "It is gone.", ""));
        Assert.Null(_story.State.Verdict);
        Assert.Equal([Sample.NewerImage], _story.State.KnownGood);
    }

    [Fact]
    public void But_not_one_that_serves_all_the_same()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets();
        _story.ObserveContainers(Sample.RunningContainer("by-hand", Sample.Release(Sample.NewImage))).PassProbes();
        Assert.Equal("by-hand", Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Id);
        _story.FailFallbackFetch(new Problem(ProblemCatalog.RegistryTagMissing, "It is gone.", ""));
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_newer_one_that_is_found_while_one_is_being_tried_waits_for_its_end()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromSeconds(30) };
        _story.StartServing().PassWatch().Tag = Sample.NewerImage;
        _story.Advance(TimeSpan.FromSeconds(30)).CompleteResolve().CompleteFetch().CompleteStop().CompleteInspections().CompleteStart().CompleteInspections().Tag = Sample.OldImage;
        _story.FailProbe().Advance(TimeSpan.FromSeconds(31)).CompleteResolve().CompleteFetch();
        Assert.Equal(Sample.NewerImage, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Image);
        while (_story.State.Front is ContainerState.Probing)
        {
            _story.Advance(TimeSpan.FromSeconds(2)).PassProbe();
        }
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    private ContainerStory DeployNewer(bool serves = true)
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        return serves ? _story.BecomeReady() : _story;
    }

    /// <summary>The newer image has failed, and the one before it serves again.</summary>
    private ContainerStory RollBack()
    {
        DeployNewer();
        CrashThroughTrial();
        return _story.BecomeReady();
    }

    /// <summary>Three crashes of what runs or is about to.</summary>
    private void CrashThroughTrial()
    {
        for (var crash = 0; crash < 3; crash++)
        {
            if (_story.State.Front is ContainerState.BackingOff)
            {
                _story.WaitOutBackoff();
            }
            if (_story.IsPending<Effect.StopContainer>())
            {
                _story.CompleteStop().CompleteInspections();
            }
            if (_story.IsPending<Effect.StartContainer>())
            {
                _story.BecomeReady();
            }
            _story.Crash().RereadSecrets();
        }
    }

    private void NeverReady()
    {
        while (_story.State.Front is ContainerState.Probing)
        {
            if (_story.IsPending<Effect.Probe>())
            {
                _story.FailProbe();
            }
            _story.Advance(TimeSpan.FromSeconds(2));
            _story.CompleteInspections();
        }
    }

    private void Hang()
    {
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Advance(_story.Policy.LivenessInterval).CompleteInspections();
            if (_story.IsPending<Effect.Probe>())
            {
                _story.FailProbe();
            }
        }
    }
}
