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
    public void An_image_that_passed_its_watch_is_the_last_good_one()
    {
        _story.StartServing();
        Assert.Empty(_story.State.Images.KnownGood);
        _story.PassWatch();
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void An_image_whose_end_went_unnoticed_does_not_pass_its_watch()
    {
        _story.StartServing().Advance(_story.Policy.Watch + TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.Images.KnownGood);

        _story.Containers[0] = _story.Containers[0].Exited(0);
        _story.CompleteInspections();

        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.Empty(_story.State.Images.KnownGood);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void A_replaced_image_counts_as_good_if_there_is_no_other_and_it_did_not_fail(int crashes, bool isKept)
    {
        _story.StartServing();
        for (var crash = 0; crash < crashes; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }

        _story.PushAndUpdate(Sample.NewerImage);

        Assert.Equal(isKept ? [Sample.NewImage] : [], _story.State.Images.KnownGood);
    }

    [Fact]
    public void Only_the_previous_good_image_is_kept_to_go_back_to()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.Images.KnownGood);
        _story.PushAndUpdate(Sample.OldImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.OldImage, Sample.NewerImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void A_run_that_ends_before_the_watch_does_not_count()
    {
        _story.StartServing().AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Crash().RestartAfterBackoff();
        _story.AdvanceCompletingEffects(_story.Policy.Watch - TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.Images.KnownGood);
        _story.AdvanceCompletingEffects(TimeSpan.FromSeconds(1));
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void Three_crashes_bring_back_the_last_good_image_from_disk_at_once()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().ForgetStartedEffects().Crash();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
        _story.RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>() + _story.CountStarted<Effect.ResolveTag>());
        Assert.Equal("app-exited", _story.State.Failures.Last?.Problem.Code);
    }

    [Fact]
    public void Three_crashes_before_the_gate_bring_back_the_last_good_image()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.CompleteStart().CompleteInspections().Crash().RereadSecrets();
            _story.Advance(_story.State.Front is ContainerState.BackingOff waiting ? waiting.Until - _story.Now : TimeSpan.Zero)
                .CompleteInspections();
        }
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void One_missed_deadline_brings_back_the_last_good_image()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteStop().CompleteInspections().CompleteStart()
            .CompleteInspections();
        NeverReady();
        _story.CompleteStop().CompleteInspections().RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void Two_liveness_kills_during_the_watch_bring_back_the_last_good_image()
    {
        DeployNewer();
        Hang();
        _story.CompleteStop().RestartAfterBackoff();
        Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict);
        Hang();
        _story.CompleteStop().CompleteInspections().RereadSecrets();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Theory]
    [InlineData("engine-refused")]
    [InlineData("engine-user")]
    [InlineData("image-without-shell")]
    [InlineData("secrets-folder-taken")]
    public void Three_failed_starts_that_the_image_caused_bring_back_the_last_good_image(string code)
    {
        DeployNewer(serves: false);
        for (var failure = 1; failure <= 3; failure++)
        {
            Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict);
            _story.FailStart(new Problem(ProblemCatalog.Find(code), "It can't be.", "Do this.")).CompleteInspections();
            if (failure < 3)
            {
                _story.WaitOutBackoff();
            }
        }
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
    }

    [Fact]
    public void An_image_that_runs_out_of_memory_three_times_is_rolled_back()
    {
        DeployNewer();
        for (var crash = 1; crash <= 3; crash++)
        {
            Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict);
            _story.ObserveContainers(_story.CurrentContainer.Exited(137, outOfMemory: true));
            if (crash < 3)
            {
                _story.RestartAfterBackoff();
            }
        }
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
    }

    [Fact]
    public void One_crash_and_one_liveness_kill_are_not_yet_enough_to_roll_back()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        Hang();
        Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict);
    }

    [Fact]
    public void A_rollback_goes_to_the_newer_of_two_good_images()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch();
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.Images.KnownGood);
        _story.PushAndUpdate(Sample.NewestImage).CompleteSwap();
        CrashThroughTrial();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_trial_ends_when_the_tag_moves_back_to_a_good_image()
    {
        DeployNewer().Crash().RestartAfterBackoff();
        Assert.Equal(2, Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict).Strikes);
        _story.PushAndUpdate(Sample.NewImage).CompleteSwap();
        Assert.Null(_story.State.Images.Verdict);
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void An_image_that_replaces_one_on_trial_begins_its_own_trial_without_strikes()
    {
        DeployNewer().Crash().RestartAfterBackoff().PushAndUpdate(Sample.NewestImage).CompleteSwap();
        Assert.Equal(new Verdict.OnTrial(Sample.NewestImage, 0, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void Without_a_fallback_the_strikes_stop_at_the_number_that_ends_a_trial()
    {
        _story.StartServing();
        for (var crash = 0; crash < 5; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }
        Assert.Equal(new Verdict.OnTrial(Sample.NewImage, ImageTrial.MaxStrikes, 1), _story.State.Images.Verdict);
    }

    [Fact]
    public void Three_crashes_of_the_image_that_was_brought_back_leave_the_rollout_undecided()
    {
        RollBack();
        for (var crash = 1; crash <= 3; crash++)
        {
            Assert.Equal(2 * (crash - 1), Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict).Strikes);
            _story.Crash().RestartAfterBackoff();
        }
        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);
    }

    [Fact]
    public void Old_images_are_not_removed_again_when_the_newest_good_one_passes_another_watch()
    {
        RollBack().ForgetStartedEffects().PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict);
        Assert.Equal(0, _story.CountStarted<Effect.CleanUpImages>());
    }

    [Fact]
    public void A_containers_labels_name_the_newest_good_image_and_the_avoided_one()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().PushAndUpdate(Sample.NewestImage)
            .CompleteStop().CompleteInspections();
        var trial = _story.SinglePending<Effect.StartContainer>();
        Assert.Equal((Sample.NewerImage, (ImageName?)null), (trial.LastGood, trial.Avoided));
        _story.BecomeReady();
        CrashThroughTrial();
        var back = _story.SinglePending<Effect.StartContainer>();
        Assert.Equal((Sample.NewerImage, Sample.NewestImage), (back.LastGood, back.Avoided));
    }

    [Fact]
    public void The_crashes_of_an_image_that_was_rolled_back_do_not_delay_the_one_before_it()
    {
        DeployNewer();
        CrashThroughTrial();
        Assert.Equal(0, _story.State.Failures.Crashes);
        _story.BecomeReady().Crash();
        Assert.InRange((Assert.IsType<ContainerState.BackingOff>(_story.State.Front).Until - _story.Now).TotalSeconds, 0.8, 1.2);
    }

    [Fact]
    public void A_corrupt_fallback_image_is_given_up_after_three_tries_to_fetch_it()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(Sample.ImageCorrupt).CompleteInspections().RereadSecrets();
        for (var failure = 1; failure <= 3; failure++)
        {
            Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
            _story.FailFallbackFetch(Sample.Refused);
            Assert.False(_story.IsPending<Effect.FetchFallback>());
            _story.Advance(TimeSpan.FromSeconds(20)).CompleteInspections();
        }
        Assert.Empty(_story.State.Images.KnownGood);
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 1), _story.State.Images.Verdict);
        Assert.Null(_story.State.Images.Fallback.Problem);
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_good_image_missing_on_disk_is_not_given_up_while_another_one_serves()
    {
        DeployNewer().PassWatch().CachedImages = [Sample.NewerImage];
        _story.Handle(at => new Event.EngineChanged(at)).CompleteInspections();
        for (var failure = 1; failure <= 5; failure++)
        {
            _story.FailFallbackFetch(Sample.Refused);
            Assert.Equal(failure, _story.State.Images.Fallback.Failures);
            while (!_story.IsPending<Effect.FetchFallback>())
            {
                _story.Advance(TimeSpan.FromSeconds(5)).CompleteInspections();
            }
        }
        Assert.Equal([Sample.NewerImage, Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void A_trial_ends_as_soon_as_a_good_image_starts_instead()
    {
        DeployNewer().Crash().RestartAfterBackoff().PushAndUpdate(Sample.NewImage);
        Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict);
        _story.CompleteStop().CompleteInspections();
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void An_end_with_the_engine_is_not_another_crash()
    {
        _story.StartServing().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff();
        _story.Handle(at => new Event.EngineDisconnected(at)).ObserveContainers(_story.CurrentContainer.Exited(137));
        Assert.Equal(2, _story.State.Failures.Crashes);
    }

    [Fact]
    public void An_end_with_the_engine_counts_as_the_first_crash()
    {
        _story.StartServing().Handle(at => new Event.EngineDisconnected(at)).ObserveContainers(_story.CurrentContainer.Exited(137));
        Assert.Equal(1, _story.State.Failures.Crashes);
    }

    [Fact]
    public void Without_another_image_a_failing_one_is_restarted_forever()
    {
        _story.StartServing();
        for (var crash = 0; crash < 20; crash++)
        {
            _story.Crash().RestartAfterBackoff();
        }
        Assert.Equal(Sample.NewImage, _story.CurrentContainer.Image);
    }

    [Fact]
    public void An_image_that_served_is_the_fallback_if_none_is_known_to_be_good()
    {
        _story.StartServing().PushAndUpdate(Sample.NewerImage).CompleteSwap();
        CrashThroughTrial();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_failed_image_is_quarantined_once_the_previous_one_passes_its_watch()
    {
        RollBack();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
        _story.PassWatch();
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void A_quarantined_image_is_not_tried_again_however_often_the_tag_is_resolved()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        RollBack().PassWatch().ForgetStartedEffects().AdvanceCompletingEffects(TimeSpan.FromHours(3));
        Assert.True(_story.CountStarted<Effect.ResolveTag>() > 30);
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>() + _story.CountStarted<Effect.StartContainer>());
    }

    [Fact]
    public void A_quarantined_image_is_not_tried_again_after_a_reboot()
    {
        RollBack().PassWatch().Containers.Clear();
        _story.RestartAgent().CompleteInspection().CompleteSecretsRead().CompleteResolve();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
        Assert.False(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_quarantined_image_is_not_tried_after_a_reboot_without_the_registry()
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
    public void A_new_image_is_tried_when_the_tag_moves_away_from_a_quarantined_one()
    {
        RollBack().PassWatch().PushAndUpdate(Sample.OldImage);
        Assert.IsType<ContainerState.Stopping>(_story.State.Front);
        Assert.Equal(Sample.OldImage, DesiredRelease.Of(_story.State, _story.Policy)?.Image);
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void A_quarantined_image_is_tried_again_when_the_tag_moves_away_and_back()
    {
        RollBack().PassWatch().Tag = Sample.OldImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.Images.Verdict);
        _story.Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Null(_story.State.Images.Verdict);
    }

    [Fact]
    public void An_update_says_why_the_newest_image_is_not_run()
    {
        RollBack().PassWatch().Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.Equal("image-quarantined", _story.State.Requests.LastOutcome?.Problem?.Code);
        Assert.Contains("exited with code 1", _story.State.Requests.LastOutcome!.Problem!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void An_update_fails_when_its_image_is_rolled_back_and_not_before()
    {
        DeployNewer(serves: false).CompleteStart().CompleteInspections().Crash();
        Assert.NotNull(_story.State.Requests.Current);
        _story.WaitOutBackoff().CompleteStart().CompleteInspections().Crash().WaitOutBackoff().CompleteStart().CompleteInspections().Crash()
            .RereadSecrets().BecomeReady();
        Assert.Equal("image-quarantined", _story.State.Requests.LastOutcome?.Problem?.Code);
    }

    [Fact]
    public void If_the_last_good_image_fails_too_nothing_is_quarantined_or_switched_again()
    {
        RollBack();
        CrashThroughTrial();
        Assert.IsType<Verdict.Undecided>(_story.State.Images.Verdict);
        for (var crash = 0; crash < 20; crash++)
        {
            _story.RestartAfterBackoff().Crash();
            Assert.Equal(Sample.Release(Sample.NewImage).Id, _story.State.Failures.Last?.ReleaseId);
        }
        Assert.True(_story.State.Failures.Crashes > 20);
    }

    [Fact]
    public void After_an_undecided_trial_the_newer_image_is_tried_exactly_once_more()
    {
        RollBack();
        CrashThroughTrial();
        _story.RestartAfterBackoff().PassWatch();
        Assert.Equal(new Verdict.OnTrial(Sample.NewerImage, 0, 2), _story.State.Images.Verdict);
        _story.Containers.RemoveAll(c => c.Image == Sample.NewImage);
        CrashThroughTrial();
        _story.BecomeReady();
        CrashThroughTrial();
        _story.RestartAfterBackoff().PassWatch();
        Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict);
    }

    [Fact]
    public void After_an_undecided_trial_other_secrets_retry_the_newer_image_at_once()
    {
        RollBack();
        CrashThroughTrial();
        _story.SecretVersion = "2";
        _story.RestartAfterBackoff().Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewerImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_rollback_is_dropped_when_the_secrets_change_during_the_watch()
    {
        RollBack().SecretVersion = "2";
        _story.Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewerImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_requested_rollback_survives_newer_secrets()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Rollback)
            .CompleteSwap().SecretVersion = "2";
        _story.Crash().RereadSecrets().WaitOutBackoff();
        Assert.Equal(Sample.Release(Sample.NewImage, secrets: "2"), _story.SinglePending<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData("container-name-taken")]
    [InlineData("engine-port-taken")]
    [InlineData("engine-mount")]
    [InlineData("disk-full")]
    public void A_failure_that_any_image_would_have_is_no_strike(string code)
    {
        DeployNewer(serves: false);
        for (var failure = 0; failure < 10; failure++)
        {
            _story.FailStart(new Problem(ProblemCatalog.Find(code), "It can't be.", "Do this.")).CompleteInspections().WaitOutBackoff();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict).Strikes);
    }

    [Fact]
    public void An_end_with_the_engine_is_no_strike()
    {
        DeployNewer();
        for (var restart = 0; restart < 5; restart++)
        {
            _story.Handle(at => new Event.EngineDisconnected(at)).ObserveContainers(_story.CurrentContainer.Exited(137));
            Assert.Equal("app-ended-with-engine", _story.State.Failures.Last?.Problem.Code);
            _story.RestartAfterBackoff();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Images.Verdict).Strikes);
    }

    [Fact]
    public void Strikes_survive_a_restart_of_the_agent()
    {
        DeployNewer().Crash().RestartAfterBackoff().Crash().RestartAfterBackoff().RestartAgent().CompleteInspection().PassProbes()
            .CompleteSecretsRead().CompleteResolve().CompleteFetch();
        _story.Crash().RereadSecrets();
        Assert.IsType<Verdict.RolledBack>(_story.State.Images.Verdict);
    }

    [Fact]
    public void Without_a_state_file_the_containers_labels_tell_the_good_and_the_avoided_image()
    {
        RollBack().PassWatch().RestartAgent(keepState: false).CompleteInspection();
        Assert.Equal([Sample.NewImage], _story.State.Images.KnownGood);
        Assert.Equal(Sample.NewerImage, Assert.IsType<Verdict.Quarantined>(_story.State.Images.Verdict).Image);
        _story.PassProbes().CompleteSecretsRead().CompleteResolve();
        Assert.False(_story.IsPending<Effect.FetchImage>());
    }

    [Fact]
    public void A_corrupt_good_image_is_fetched_again_before_a_rollback_to_it()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(new Problem(ProblemCatalog.ImageCorrupt, "A layer is broken.", "")).CompleteInspections().RereadSecrets();
        Assert.Equal(new Effect.FetchFallback(Sample.NewImage, Replace: true), _story.SinglePending<Effect.FetchFallback>());
        _story.Advance(TimeSpan.FromMinutes(1)).CompleteFallbackFetch().CompleteInspections();
        Assert.Equal(Sample.NewImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_good_image_missing_in_the_registry_too_is_given_up_for_the_newer_one()
    {
        DeployNewer();
        CrashThroughTrial();
        _story.FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets();
        _story.FailFallbackFetch(new Problem(ProblemCatalog.RegistryTagMissing, "It is gone.", "")).Advance(TimeSpan.FromMinutes(1))
            .CompleteInspections();
        Assert.Equal(Sample.NewerImage, _story.SinglePending<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_requested_rollback_that_loses_its_fallback_keeps_a_good_image_good()
    {
        _story.StartServing().PassWatch().PushAndUpdate(Sample.NewerImage).CompleteSwap().PassWatch().Request(RequestKind.Rollback);
        _story.CompleteStop().CompleteInspections().FailStart(Sample.ImageMissing).CompleteInspections().RereadSecrets();
        _story.FailFallbackFetch(new Problem(ProblemCatalog.RegistryTagMissing, "It is gone.", ""));
        Assert.Null(_story.State.Images.Verdict);
        Assert.Equal([Sample.NewerImage], _story.State.Images.KnownGood);
    }

    [Fact]
    public void A_good_image_missing_in_the_registry_is_not_given_up_while_it_serves()
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
    public void A_newer_image_waits_until_the_starting_one_is_ready_or_fails()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromSeconds(30) };
        _story.StartServing().PassWatch().Tag = Sample.NewerImage;
        _story.Advance(TimeSpan.FromSeconds(30)).CompleteResolve().CompleteFetch().CompleteStop().CompleteInspections().CompleteStart()
            .CompleteInspections().Tag = Sample.OldImage;
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
