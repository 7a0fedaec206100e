using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A new image is on trial until it has served well for the whole watch.</summary>
public class RolloutTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void An_image_that_has_served_through_the_watch_is_the_last_good_one()
    {
        _story.Serves();
        Assert.Empty(_story.State.KnownGood);
        _story.IsProven();
        Assert.Equal([Sample.New], _story.State.KnownGood);
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void One_that_ended_while_nobody_could_ask_it_and_nobody_told_of_it_has_proven_nothing()
    {
        _story.Serves().Passes(_story.Policy.Watch + TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.KnownGood);

        _story.Engine[0] = _story.Engine[0].Ended(0);
        _story.EngineIsSeen();

        Assert.IsType<ContainerState.BackingOff>(_story.State.Front);
        Assert.Empty(_story.State.KnownGood);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void One_that_serves_and_makes_room_is_better_than_nothing_to_go_back_to_unless_it_failed_before(int crashes, bool isKept)
    {
        _story.Serves();
        for (var crash = 0; crash < crashes; crash++)
        {
            _story.Crashes().ComesBack();
        }

        _story.Deploys(Sample.Newer);

        Assert.Equal(isKept ? [Sample.New] : [], _story.State.KnownGood);
    }

    [Fact]
    public void The_one_before_it_is_kept_to_go_back_to_and_no_other()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().IsProven();
        Assert.Equal([Sample.Newer, Sample.New], _story.State.KnownGood);
        _story.Deploys(Sample.Old).Swaps().IsProven();
        Assert.Equal([Sample.Old, Sample.Newer], _story.State.KnownGood);
    }

    [Fact]
    public void A_run_that_ends_before_the_watch_does_not_count()
    {
        _story.Serves().PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1)).Crashes().ComesBack();
        _story.PassesQuietly(_story.Policy.Watch - TimeSpan.FromSeconds(1));
        Assert.Empty(_story.State.KnownGood);
        _story.PassesQuietly(TimeSpan.FromSeconds(1));
        Assert.Equal([Sample.New], _story.State.KnownGood);
    }

    [Fact]
    public void Three_crashes_bring_the_last_good_one_back_at_once_from_the_disk()
    {
        DeploysNewer().Crashes().ComesBack().Crashes().ComesBack().Forget().Crashes();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.Rereads();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
        Assert.Equal(0, _story.CountBegun<Effect.FetchImage>() + _story.CountBegun<Effect.ResolveTag>());
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void So_do_crashes_before_its_gate()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Stops().EngineIsSeen();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Starts().EngineIsSeen().Crashes().Rereads();
            _story.Passes(_story.State.Front is ContainerState.BackingOff waiting ? waiting.Until - _story.Now : TimeSpan.Zero).EngineIsSeen();
        }
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void So_does_one_missed_deadline()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Stops().EngineIsSeen().Starts().EngineIsSeen();
        NeverWell();
        _story.Stops().EngineIsSeen().Rereads();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void So_do_two_liveness_kills_within_the_watch()
    {
        DeploysNewer();
        Hangs();
        _story.Stops().ComesBack();
        Assert.IsType<Verdict.OnTrial>(_story.State.Verdict);
        Hangs();
        _story.Stops().EngineIsSeen().Rereads();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void Without_another_image_it_is_started_again_for_ever()
    {
        _story.Serves();
        for (var crash = 0; crash < 20; crash++)
        {
            _story.Crashes().ComesBack();
        }
        Assert.Equal(Sample.New, _story.Current.Image);
    }

    [Fact]
    public void One_that_served_before_anything_was_proven_is_better_than_none_to_go_back_to()
    {
        _story.Serves().Deploys(Sample.Newer).Swaps();
        CrashesOutOfItsTrial();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void The_image_is_quarantined_once_the_one_before_it_has_served_well()
    {
        RollsBack();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.IsProven();
        Assert.Equal(Sample.Newer, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
        Assert.Equal([Sample.New], _story.State.KnownGood);
    }

    [Fact]
    public void It_is_not_tried_again_however_often_the_tag_is_looked_at()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromMinutes(5) };
        RollsBack().IsProven().Forget().PassesQuietly(TimeSpan.FromHours(3));
        Assert.True(_story.CountBegun<Effect.ResolveTag>() > 30);
        Assert.Equal(0, _story.CountBegun<Effect.FetchImage>() + _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void Nor_after_a_reboot()
    {
        RollsBack().IsProven().Engine.Clear();
        _story.LivesAgain().EngineAnswers().SecretsAnswer().TagAnswers();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
        Assert.False(_story.Has<Effect.FetchImage>());
    }

    [Fact]
    public void Nor_after_a_reboot_while_the_registry_is_out_of_reach()
    {
        RollsBack().IsProven().Engine.Clear();
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Newer)).Ended(1));
        _story.LivesAgain().EngineAnswers().SecretsAnswer();
        while (!_story.Has<Effect.StartContainer>())
        {
            _story.TagFails().Passes(TimeSpan.FromSeconds(40)).EngineIsSeen();
        }
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void It_is_tried_when_the_tag_has_moved_to_something_else()
    {
        RollsBack().IsProven().Deploys(Sample.Old);
        Assert.Equal(Sample.Old, Assert.IsType<ContainerState.Stopping>(_story.State.Front) is not null ? DesiredRelease.Of(_story.State, _story.Policy)?.Image : null);
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void And_when_the_tag_has_moved_away_and_back()
    {
        RollsBack().IsProven().Tag = Sample.Old;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers();
        Assert.Null(_story.State.Verdict);
        _story.Tag = Sample.Newer;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers();
        Assert.Null(_story.State.Verdict);
    }

    [Fact]
    public void An_update_says_why_the_newest_is_not_run()
    {
        RollsBack().IsProven().IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers();
        Assert.Equal("image-quarantined", _story.State.LastOutcome?.Problem?.Code);
        Assert.Contains("exited with code 1", _story.State.LastOutcome!.Problem!.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_update_that_brought_it_fails_when_it_is_rolled_back_and_not_before()
    {
        DeploysNewer(serves: false).Starts().EngineIsSeen().Crashes();
        Assert.NotNull(_story.State.Request);
        _story.WaitsOut().Starts().EngineIsSeen().Crashes().WaitsOut().Starts().EngineIsSeen().Crashes().Rereads().ComesUp();
        Assert.Equal("image-quarantined", _story.State.LastOutcome?.Problem?.Code);
    }

    [Fact]
    public void When_the_last_good_one_fails_as_well_nothing_is_quarantined_and_nothing_goes_back_and_forth()
    {
        RollsBack();
        CrashesOutOfItsTrial();
        Assert.IsType<Verdict.Undecided>(_story.State.Verdict);
        for (var crash = 0; crash < 20; crash++)
        {
            _story.ComesBack().Crashes();
            Assert.Equal(Sample.Release(Sample.New).Id, _story.State.LastFailure?.ReleaseId);
        }
        Assert.True(_story.State.Crashes > 20);
    }

    [Fact]
    public void Once_the_last_good_one_has_proven_itself_after_all_the_newer_one_is_tried_once_more_and_then_not_again()
    {
        RollsBack();
        CrashesOutOfItsTrial();
        _story.ComesBack().IsProven();
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 0, 2), _story.State.Verdict);
        _story.Engine.RemoveAll(c => c.Image == Sample.New);
        CrashesOutOfItsTrial();
        _story.ComesUp();
        CrashesOutOfItsTrial();
        _story.ComesBack().IsProven();
        Assert.IsType<Verdict.Quarantined>(_story.State.Verdict);
    }

    [Fact]
    public void With_other_secrets_the_newer_one_is_tried_at_once()
    {
        RollsBack();
        CrashesOutOfItsTrial();
        _story.SecretVersion = "2";
        _story.ComesBack().Crashes().Rereads().WaitsOut();
        Assert.Equal(Sample.Release(Sample.Newer, secrets: "2"), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void That_it_failed_with_other_secrets_speaks_against_it_no_more_while_the_one_before_it_is_watched()
    {
        RollsBack().SecretVersion = "2";
        _story.Crashes().Rereads().WaitsOut();
        Assert.Equal(Sample.Release(Sample.Newer, secrets: "2"), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Fact]
    public void A_rollback_that_was_asked_for_outlives_newer_secrets()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().IsProven().IsAskedTo(RequestKind.Rollback).SecretsAnswer().TagAnswers().Swaps().SecretVersion = "2";
        _story.Crashes().Rereads().WaitsOut();
        Assert.Equal(Sample.Release(Sample.New, secrets: "2"), _story.PendingOne<Effect.StartContainer>().Release);
    }

    [Theory]
    [InlineData("container-name-taken")]
    [InlineData("engine-port-taken")]
    [InlineData("engine-mount")]
    [InlineData(ProblemCodes.DiskFull)]
    public void What_any_image_would_have_met_is_not_held_against_this_one(string code)
    {
        DeploysNewer(serves: false);
        for (var failure = 0; failure < 10; failure++)
        {
            _story.StartFails(new Problem(code, "It can't be.", "Do this.")).EngineIsSeen().WaitsOut();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Verdict).Strikes);
    }

    [Fact]
    public void Nor_what_ended_with_the_engine()
    {
        DeploysNewer();
        for (var restart = 0; restart < 5; restart++)
        {
            _story.Hears(at => new Event.EngineDisconnected(at)).EngineShows(_story.Current.Ended(137));
            Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
            _story.ComesBack();
        }
        Assert.Equal(0, Assert.IsType<Verdict.OnTrial>(_story.State.Verdict).Strikes);
    }

    [Fact]
    public void Strikes_are_not_forgotten_when_the_agent_begins_anew()
    {
        DeploysNewer().Crashes().ComesBack().Crashes().ComesBack().LivesAgain().EngineAnswers().ProvesItself().SecretsAnswer().TagAnswers().ImageAnswers();
        _story.Crashes().Rereads();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
    }

    [Fact]
    public void Without_its_notes_the_agent_reads_on_the_containers_labels_what_was_good_and_what_was_not()
    {
        RollsBack().IsProven().LivesAgain(remembers: false).EngineAnswers();
        Assert.Equal([Sample.New], _story.State.KnownGood);
        Assert.Equal(Sample.Newer, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
        _story.ProvesItself().SecretsAnswer().TagAnswers();
        Assert.False(_story.Has<Effect.FetchImage>());
    }

    [Fact]
    public void A_good_image_that_is_broken_on_disk_is_fetched_again_before_it_is_gone_back_to()
    {
        DeploysNewer();
        CrashesOutOfItsTrial();
        _story.StartFails(new Problem(ProblemCodes.ImageCorrupt, "A layer is broken.", "")).EngineIsSeen().Rereads();
        Assert.Equal(new Effect.FetchFallback(Sample.New, Replace: true), _story.PendingOne<Effect.FetchFallback>());
        _story.Passes(TimeSpan.FromMinutes(1)).SpareAnswers().EngineIsSeen();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void One_that_the_registry_has_not_either_is_given_up_and_the_newer_one_is_better_than_none()
    {
        DeploysNewer();
        CrashesOutOfItsTrial();
        _story.StartFails(Sample.ImageMissing).EngineIsSeen().Rereads();
        _story.SpareFails(new Problem(ProblemCodes.TagMissing, "It is gone.", "")).Passes(TimeSpan.FromMinutes(1)).EngineIsSeen();
        Assert.Equal(Sample.Newer, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_rollback_that_was_asked_for_and_has_nothing_to_go_back_to_any_more_leaves_a_proven_image_proven()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Swaps().IsProven().IsAskedTo(RequestKind.Rollback).SecretsAnswer().TagAnswers();
        _story.Stops().EngineIsSeen().StartFails(Sample.ImageMissing).EngineIsSeen().Rereads();
        _story.SpareFails(new Problem(ProblemCodes.TagMissing, "It is gone.", ""));
        Assert.Null(_story.State.Verdict);
        Assert.Equal([Sample.Newer], _story.State.KnownGood);
    }

    [Fact]
    public void But_not_one_that_serves_all_the_same()
    {
        DeploysNewer();
        CrashesOutOfItsTrial();
        _story.StartFails(Sample.ImageMissing).EngineIsSeen().Rereads();
        _story.EngineShows(Sample.Running("by-hand", Sample.Release(Sample.New))).ProvesItself();
        Assert.Equal("by-hand", Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Id);
        _story.SpareFails(new Problem(ProblemCodes.TagMissing, "It is gone.", ""));
        Assert.IsType<ContainerState.Serving>(_story.State.Front);
    }

    [Fact]
    public void A_newer_one_that_is_found_while_one_is_being_tried_waits_for_its_end()
    {
        _story.Policy = _story.Policy with { CheckInterval = TimeSpan.FromSeconds(30) };
        _story.Serves().IsProven().Tag = Sample.Newer;
        _story.Passes(TimeSpan.FromSeconds(30)).TagAnswers().ImageAnswers().Stops().EngineIsSeen().Starts().EngineIsSeen().Tag = Sample.Old;
        _story.ProbeFails().Passes(TimeSpan.FromSeconds(31)).TagAnswers().ImageAnswers();
        Assert.Equal(Sample.Newer, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Image);
        while (_story.State.Front is ContainerState.Probing)
        {
            _story.Passes(TimeSpan.FromSeconds(2)).ProbePasses();
        }
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    private ContainerStory DeploysNewer(bool serves = true)
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Stops().EngineIsSeen();
        return serves ? _story.ComesUp() : _story;
    }

    /// <summary>The newer image has failed, and the one before it serves again.</summary>
    private ContainerStory RollsBack()
    {
        DeploysNewer();
        CrashesOutOfItsTrial();
        return _story.ComesUp();
    }

    /// <summary>Three crashes of what runs or is about to.</summary>
    private void CrashesOutOfItsTrial()
    {
        for (var crash = 0; crash < 3; crash++)
        {
            if (_story.State.Front is ContainerState.BackingOff)
            {
                _story.WaitsOut();
            }
            if (_story.Has<Effect.StopContainer>())
            {
                _story.Stops().EngineIsSeen();
            }
            if (_story.Has<Effect.StartContainer>())
            {
                _story.ComesUp();
            }
            _story.Crashes().Rereads();
        }
    }

    private void NeverWell()
    {
        while (_story.State.Front is ContainerState.Probing)
        {
            if (_story.Has<Effect.Probe>())
            {
                _story.ProbeFails();
            }
            _story.Passes(TimeSpan.FromSeconds(2));
            _story.EngineIsSeen();
        }
    }

    private void Hangs()
    {
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Passes(_story.Policy.LivenessInterval).EngineIsSeen();
            if (_story.Has<Effect.Probe>())
            {
                _story.ProbeFails();
            }
        }
    }
}
