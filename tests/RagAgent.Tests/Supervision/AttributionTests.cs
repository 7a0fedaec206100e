using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Who was behind the end of a container may come out after it was seen: what was concluded too early is taken back.</summary>
public class AttributionTests
{
    private readonly ContainerStory _story = new();

    [Fact]
    public void A_stop_by_hand_that_is_told_after_the_end_was_seen_holds_all_the_same()
    {
        _story.Serves().Forget();
        IsStoppedByHandAndTheEndIsSeenFirst();
        Assert.Equal(Hold.DockerStop, _story.State.Hold);
        Assert.Null(_story.State.LastFailure);
        _story.PassesQuietly(TimeSpan.FromHours(1));
        Assert.Equal(0, _story.CountBegun<Effect.StartContainer>());
    }

    [Fact]
    public void It_holds_also_when_the_next_start_has_begun()
    {
        _story.Serves();
        var id = _story.Current.Id;
        _story.Crashes(143).WaitsOut().Hears(at => new Event.ExternalStopRequested(at, id)).Starts().EngineIsSeen();
        Assert.IsType<StopReason.Requested>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
    }

    [Fact]
    public void And_is_held_against_no_image()
    {
        DeploysNewer();
        IsStoppedByHandAndTheEndIsSeenFirst();
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void A_failure_before_it_is_what_people_see_again()
    {
        _story.Serves().Crashes(3).ComesBack();
        var crash = _story.State.LastFailure;
        IsStoppedByHandAndTheEndIsSeenFirst();
        Assert.Equal(crash, _story.State.LastFailure);
    }

    [Fact]
    public void Told_twice_it_does_not_undo_a_start_that_somebody_asked_for_meanwhile()
    {
        _story.Serves();
        var id = _story.Current.Id;
        IsStoppedByHandAndTheEndIsSeenFirst();
        _story.IsAskedTo(RequestKind.Start).Hears(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void Nor_does_the_agents_own_stop_of_one_that_somebody_started_again()
    {
        _story.Serves();
        var again = _story.Current with { StartedAt = "2026-02-02T00:00:00Z" };
        _story.Crashes().EngineShows(again);
        Assert.IsType<StopReason.RestartedByOther>(Assert.IsType<ContainerState.Stopping>(_story.State.Front).Reason);
        _story.Hears(at => new Event.ExternalStopRequested(at, again.Id)).Stops().EngineIsSeen();
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void Nor_does_the_agents_own_removal_of_what_a_crash_left_behind()
    {
        var story = new ContainerStory(new Policy { ConfigFingerprint = ContainerStory.Config, CheckInterval = null, StartFirst = true });
        story.Serves();
        var crashed = story.Current.Ended(1);
        var other = Sample.Running("other", Sample.Release(Sample.New));
        story.EngineShows(crashed, other);
        Assert.IsType<StopReason.LeftOver>(Assert.IsType<ContainerState.Stopping>(story.State.Candidate).Reason);
        story.Hears(at => new Event.ExternalStopRequested(at, crashed.Id));
        Assert.Null(story.State.Hold);
    }

    [Fact]
    public void A_stop_that_is_told_long_after_an_end_is_not_its_cause()
    {
        _story.Serves();
        var id = _story.Current.Id;
        _story.Crashes().Passes(TimeSpan.FromSeconds(31)).Hears(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void What_an_engine_ended_before_it_was_gone_itself_is_its_own_doing_and_no_strike()
    {
        DeploysNewer().Crashes(0).Hears(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
        Assert.Equal("app-ended-with-engine", Assert.IsType<ContainerState.BackingOff>(_story.State.Front).Cause.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void Also_when_it_told_of_a_stop_that_nobody_else_had_asked_for()
    {
        DeploysNewer();
        IsStoppedByHandAndTheEndIsSeenFirst();
        _story.Hears(at => new Event.EngineChanged(at)).EngineFails();
        Assert.Null(_story.State.Hold);
        Assert.Equal("app-ended-with-engine", _story.State.LastFailure?.Problem.Code);
    }

    [Fact]
    public void A_rollback_that_followed_from_it_is_called_off()
    {
        DeploysNewer().Crashes().ComesBack().Crashes().ComesBack().Crashes();
        Assert.IsType<Verdict.RolledBack>(_story.State.Verdict);
        _story.Hears(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 4, 1), _story.State.Verdict);
        // The start that has begun comes to its end first.
        _story.StartFails(Sample.Unreachable).EngineIsSeen().Rereads().Passes(TimeSpan.FromMinutes(1)).EngineIsSeen();
        Assert.Equal(Sample.Newer, _story.PendingOne<Effect.StartContainer>().Release.Image);
    }

    [Fact]
    public void And_so_are_the_probes_that_failed_while_the_engine_was_going()
    {
        DeploysNewer().Passes(_story.Policy.Watch / 2);
        while (_story.State.Front is ContainerState.Serving)
        {
            _story.Passes(_story.Policy.LivenessInterval).ProbeFails().EngineIsSeen();
        }
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 3, 1), _story.State.Verdict);
        _story.Hears(at => new Event.EngineDisconnected(at));
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 0, 1), _story.State.Verdict);
    }

    [Fact]
    public void A_crash_of_longer_standing_stays_one()
    {
        DeploysNewer().Crashes().ComesBack();
        _story.PassesQuietly(TimeSpan.FromSeconds(31)).Hears(at => new Event.EngineDisconnected(at));
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 2, 1), _story.State.Verdict);
    }

    [Fact]
    public void An_engine_that_only_takes_too_long_has_ended_nothing()
    {
        DeploysNewer().Hears(at => new Event.EngineChanged(at)).EngineFails(Sample.Silent);
        var ended = _story.Current.Ended(1);
        _story.Engine.Clear();
        _story.Engine.Add(ended);
        _story.Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        Assert.Equal("app-exited", _story.State.LastFailure?.Problem.Code);
        Assert.Equal(new Verdict.OnTrial(Sample.Newer, 2, 1), _story.State.Verdict);
    }

    [Fact]
    public void And_a_stop_by_hand_meanwhile_holds()
    {
        _story.Serves();
        var ended = _story.Current.Ended(143);
        _story.Hears(at => new Event.ExternalStopRequested(at, ended.Id)).EngineFails(Sample.Silent);
        _story.Engine.Clear();
        _story.Engine.Add(ended);
        _story.Passes(TimeSpan.FromSeconds(2)).EngineIsSeen();
        Assert.Equal(Hold.DockerStop, _story.State.Hold);
    }

    private ContainerStory DeploysNewer() => _story.Serves().IsProven().Deploys(Sample.Newer).Swaps();

    private void IsStoppedByHandAndTheEndIsSeenFirst()
    {
        var id = _story.Current.Id;
        _story.Crashes(143).Hears(at => new Event.ExternalStopRequested(at, id));
        _story.EngineIsSeen();
        Assert.IsType<ContainerState.Absent>(_story.State.Front);
    }
}
