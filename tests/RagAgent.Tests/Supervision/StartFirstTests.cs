using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Where two containers share nothing that both would write to, the new one proves itself beside the old one.</summary>
public class StartFirstTests
{
    private readonly ContainerStory _story = new(new Policy { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, StartFirst = true });

    [Fact]
    public void The_old_one_serves_until_the_new_one_has_passed_its_gate()
    {
        _story.Serves();
        var old = _story.Current;
        _story.Deploys(Sample.Newer);
        Assert.Equal(old, _story.PendingOne<Effect.StartContainer>().Neighbor);
        _story.Starts().EngineIsSeen().ProbePasses();
        Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        Assert.False(_story.Has<Effect.StopContainer>());
        _story.ProbePasses();
        Assert.Equal(Sample.Newer, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void Then_the_old_one_is_drained_before_it_is_stopped_and_its_name_goes_to_the_new_one()
    {
        _story.Serves();
        var old = _story.Current;
        SwapsTo(Sample.Newer);
        Assert.Equal(old, _story.PendingOne<Effect.Drain>().Container);
        Assert.False(_story.Has<Effect.StopContainer>());
        _story.Drains();
        var stop = _story.PendingOne<Effect.StopContainer>();
        Assert.Equal((old.Id, "ragstream-next"), (stop.Container.Id, stop.Successor?.Name));
        _story.Stops().EngineIsSeen();
        Assert.Null(_story.State.Candidate);
    }

    [Fact]
    public void A_candidate_that_crashes_costs_visitors_nothing_and_is_tried_thrice()
    {
        _story.Serves().IsProven();
        var old = _story.Current;
        _story.Deploys(Sample.Newer).Forget();
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Starts().EngineIsSeen();
            _story.EngineShows(old, _story.State.Candidate!.Current!.Ended(1));
            Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
            _story.Passes(TimeSpan.FromSeconds(10)).EngineIsSeen();
        }
        Assert.NotEqual(old.Id, Assert.Single(_story.Begun.OfType<Effect.StopContainer>()).Container.Id);   // what is left of the last candidate
        _story.Stops();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(Sample.Newer, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);   // the old one has long proven itself
        Assert.Equal(0, _story.State.Crashes);
    }

    [Fact]
    public void The_update_then_fails_with_the_reason_while_the_old_one_serves()
    {
        A_candidate_that_crashes_costs_visitors_nothing_and_is_tried_thrice();
        Assert.Equal("image-quarantined", _story.State.LastOutcome?.Problem?.Code);
    }

    [Fact]
    public void What_serves_with_older_secrets_does_not_speak_against_an_image_that_fails_with_newer_ones()
    {
        _story.Serves().IsProven();
        var old = _story.Current;
        _story.SecretVersion = "2";
        _story.Deploys(Sample.Newer);
        CandidateCrashesThrice(old);
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);

        _story.Stops().EngineIsSeen();
        Assert.Equal((Sample.New, "secrets-2"), (_story.PendingOne<Effect.StartContainer>().Release.Image, _story.PendingOne<Effect.StartContainer>().Release.SecretsFingerprint));
        CandidateCrashesThrice(old);
        Assert.IsType<Verdict.Undecided>(_story.State.Verdict);
        Assert.Equal(old, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
    }

    [Fact]
    public void One_that_serves_and_has_not_proven_itself_yet_is_left_alone_when_the_next_one_fails_beside_it()
    {
        _story.Serves().IsProven();
        SwapsTo(Sample.Newer);
        var serving = _story.Drains().Stops().EngineIsSeen().Current;
        _story.Deploys(Sample.Newest);
        CandidateCrashesThrice(serving);
        _story.PassesQuietly(TimeSpan.FromSeconds(10));
        Assert.Equal(serving, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container);
        _story.IsProven();
        Assert.Equal(Sample.Newest, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);
        Assert.Equal([Sample.Newer, Sample.New], _story.State.KnownGood);
    }

    [Fact]
    public void And_when_it_ends_after_all_the_last_good_one_takes_its_place()
    {
        _story.Serves().IsProven();
        SwapsTo(Sample.Newer);
        var serving = _story.Drains().Stops().EngineIsSeen().Current;
        _story.Deploys(Sample.Newest);
        CandidateCrashesThrice(serving);
        _story.PassesQuietly(TimeSpan.FromSeconds(10)).Crashes().WaitsOut();
        Assert.Equal(Sample.New, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void A_candidate_that_is_never_well_is_stopped_at_its_deadline_and_rolled_back()
    {
        _story.Serves().IsProven().Deploys(Sample.Newer).Starts().EngineIsSeen();
        var end = _story.Now + _story.Policy.StartupDeadline;
        while (_story.Now < end)
        {
            _story.Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
            while (_story.Pending.OfType<Effect.Probe>().Any())
            {
                _ = _story.Pending.OfType<Effect.Probe>().Last().Kind == ProbeKind.Liveness ? _story.ProbePasses() : _story.ProbeFails();
            }
        }
        Assert.IsType<StopReason.NeverHealthy>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.Stops().EngineIsSeen();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(Sample.Newer, Assert.IsType<Verdict.Quarantined>(_story.State.Verdict).Image);   // the old one has long proven itself
    }

    [Fact]
    public void A_candidate_that_waits_for_its_next_try_holds_up_no_restart_of_the_one_that_serves()
    {
        _story.Serves().IsProven();
        _story.SecretVersion = "2";
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers();
        for (var failure = 0; failure < 8; failure++)
        {
            _story.StartFails(Sample.Refused).EngineIsSeen();
            while (failure < 7 && !_story.Has<Effect.StartContainer>())
            {
                _story.Passes(TimeSpan.FromSeconds(1)).EngineIsSeen();
            }
        }
        Assert.True(Assert.IsType<ContainerState.BackingOff>(_story.State.Candidate).Until - _story.Now > TimeSpan.FromMinutes(1));
        _story.EngineShows(_story.Current.Ended(1)).SecretsAnswer().Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
    }

    [Fact]
    public void An_old_one_whose_stop_failed_is_no_candidate()
    {
        _story.Serves().IsProven();
        var old = _story.Current;
        SwapsTo(Sample.Newer);
        _story.Drains().Tag = Sample.Old;
        _story.IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers();   // what should serve is not on disk yet
        _story.StopFails(Sample.Unreachable).Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        Assert.Equal(old.Id, Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Container.Id);
    }

    [Fact]
    public void When_the_old_one_dies_the_candidate_takes_its_place()
    {
        _story.Serves().Deploys(Sample.Newer).Starts().EngineIsSeen();
        var candidate = _story.State.Candidate!.Current!;
        _story.Forget().EngineShows(_story.Current.Ended(1), candidate);
        Assert.Equal(candidate, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container);
        Assert.Null(_story.State.Candidate);
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void Also_when_it_is_just_being_started()
    {
        _story.Serves().Deploys(Sample.Newer).Forget().EngineShows(_story.Current.Ended(1));
        Assert.IsType<ContainerState.Starting>(_story.State.Front);
        _story.ComesUp();
        Assert.Equal(Sample.Newer, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void A_candidate_that_is_not_wanted_any_more_goes()
    {
        _story.Serves().Deploys(Sample.Newer).Starts().EngineIsSeen();
        _story.Deploys(Sample.Old);
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.Stops().EngineIsSeen();
        Assert.Equal(Sample.Old, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void With_another_configuration_nothing_is_known_of_what_the_old_one_shares_so_it_goes_first()
    {
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.New, config: "config-0")));
        _story.Boots().EngineAnswers().ProvesItself().SecretsAnswer().TagAnswers().ImageAnswers();
        Assert.IsType<StopReason.Replaced>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void After_a_crash_of_the_agent_the_older_one_serves_on_and_the_newer_one_has_to_pass_its_gate()
    {
        _story.Serves().Deploys(Sample.Newer).Starts().EngineIsSeen();
        _story.LivesAgain().EngineAnswers();
        Assert.Equal(Sample.New, Assert.IsType<ContainerState.Probing>(_story.State.Front).Container.Image);
        Assert.Equal(Sample.Newer, Assert.IsType<ContainerState.Probing>(_story.State.Candidate).Container.Image);
        _story.SecretsAnswer().TagAnswers().ImageAnswers().PassesQuietly(TimeSpan.FromSeconds(10));
        Assert.Equal(Sample.Newer, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
        Assert.Single(_story.Engine);
    }

    [Theory]
    [InlineData(ContainerStatus.Created)]   // killed between create and start
    [InlineData(ContainerStatus.Exited)]    // killed between stop and remove
    [InlineData(ContainerStatus.Dead)]
    internal void What_a_crash_of_the_agent_left_behind_is_removed_and_its_name_goes_to_the_one_that_runs(ContainerStatus status)
    {
        _story.Serves();
        var left = Sample.Running("left", Sample.Release(Sample.Old)) with { Status = status };
        _story.Engine.Add(left);
        _story.LivesAgain().EngineAnswers();

        var stop = _story.PendingOne<Effect.StopContainer>();
        Assert.Equal(("left", _story.Current.Id), (stop.Container.Id, stop.Successor?.Id));
        _story.Stops().EngineIsSeen().ProvesItself();
        Assert.Null(_story.State.Candidate);
        Assert.Equal(Sample.New, Assert.IsType<ContainerState.Serving>(_story.State.Front).Container.Image);
    }

    [Fact]
    public void That_it_can_not_be_removed_disturbs_nothing_and_is_tried_again_with_the_next_look()
    {
        _story.Serves();
        _story.Engine.Add(Sample.Running("left", Sample.Release(Sample.Old)).Ended(1));
        _story.Hears(at => new Event.EngineChanged(at)).EngineIsSeen().StopFails(Sample.Refused).Forget();
        Assert.True(_story.State.EngineIsReachable);
        Assert.False(_story.Has<Effect.StopContainer>());

        _story.PassesQuietly(_story.Policy.InspectInterval);
        Assert.Equal(1, _story.CountBegun<Effect.StopContainer>());
    }

    [Fact]
    public void A_copy_of_what_serves_is_a_stray_here_as_well()
    {
        _story.Serves();
        _story.EngineShows(_story.Current, _story.Current with { Id = "copy", StartedAt = "2026-01-02T00:00:00Z" });
        Assert.Equal("copy", _story.PendingOne<Effect.StopContainer>().Container.Id);
    }

    private void CandidateCrashesThrice(Container old)
    {
        for (var crash = 0; crash < 3; crash++)
        {
            _story.Starts().EngineIsSeen();
            _story.EngineShows(old, _story.State.Candidate!.Current!.Ended(1));
            if (crash < 2)
            {
                _story.Passes(TimeSpan.FromSeconds(10)).EngineIsSeen();
            }
        }
    }

    private void SwapsTo(ImageName image) => _story.Deploys(image).Starts().EngineIsSeen().ProbePasses().ProbePasses();

    [Fact]
    public void Whose_run_the_one_in_front_is_in_is_known_however_many_candidates_came_and_went()
    {
        _story.Serves();
        var front = _story.Current;
        _story.Deploys(Sample.Newer);
        for (var candidate = 1; candidate <= 3; candidate++)
        {
            _story.Starts().EngineIsSeen().EngineShows(front, _story.State.Candidate!.Current!.Ended(1)).Passes(TimeSpan.FromMinutes(2)).EngineIsSeen();
        }
        Assert.NotNull(_story.State.RunOf(front));
    }

    [Fact]
    public void What_was_left_behind_and_somebody_started_while_it_was_to_be_removed_is_looked_at_before_anything_starts()
    {
        var left = Sample.Running("left", Sample.Release(Sample.Old));
        _story.Serves().EngineShows(_story.Current, left.Ended(1));
        Assert.IsType<StopReason.LeftOver>(Assert.IsType<ContainerState.Stopping>(_story.State.Candidate).Reason);
        _story.EngineShows(_story.Current, left with { StartedAt = "2026-02-02T00:00:00Z" }).StopFails(Sample.Refused);
        Assert.False(_story.State.EngineIsReachable);
    }
}
