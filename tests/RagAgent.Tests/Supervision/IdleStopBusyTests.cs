using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>What keeps an idle instance up although its notice is over: something that the stop would interrupt.</summary>
public class IdleStopBusyTests
{
    private static readonly Moment Now = Moment.Zero + TimeSpan.FromHours(5);
    private static readonly Fetched<FetchedImage> NewOnDisk = Sample.Loaded(new FetchedImage(Sample.NewImage.Digest, 0));

    private readonly Policy _policy = new()
    {
        ConfigFingerprint = ContainerStory.Config,
        CheckInterval = null,
        Idle = new IdlePolicy { StopAfter = TimeSpan.FromHours(1) },
    };

    /// <summary>A proven image serves, and nobody has come since the notice.</summary>
    private readonly AgentState _quiet = new()
    {
        Now = Now,
        Front = Serving(Moment.Zero),
        Engine = Sample.Loaded(new Inventory([], "20.10")),
        Secrets = Sample.Loaded(Sample.Secrets("1")),
        Tag = Sample.Loaded(Sample.ResolutionOf(Sample.NewImage)),
        Image = NewOnDisk,
        Images = new ImageHistory { KnownGood = [Sample.NewImage] },
        Idle = new IdleState(Moment.Zero, FirstServedAt: Moment.Zero, IdleNoticeAt: Now - TimeSpan.FromMinutes(10)),
    };

    [Fact]
    public void Nothing_keeps_up_an_instance_where_nothing_is_under_way() => AssertStops(_quiet);

    [Fact]
    public void A_removal_of_old_images_is_not_interrupted() =>
        AssertStays(_quiet with { Images = _quiet.Images with { Cleanup = Sample.Loading<ImageCleanupResult>() } });

    [Fact]
    public void A_pull_of_the_image_to_go_back_to_is_not_interrupted() =>
        AssertStays(_quiet with { Images = _quiet.Images with { Fallback = Sample.Loading<ImageName>() } });

    [Fact]
    public void A_pull_of_the_newest_image_is_not_interrupted() => AssertStays(_quiet with { Image = Sample.Loading<FetchedImage>() });

    [Fact]
    public void Notes_that_are_being_written_are_not_interrupted() => AssertStays(_quiet with { Saved = Sample.Loading<PersistedState>() });

    [Fact]
    public void A_command_that_waits_for_its_answer_is_not_interrupted() =>
        AssertStays(_quiet with { Requests = new RequestState { Current = new OperatorRequest(1, RequestKind.Update, Now, null) } });

    [Fact]
    public void Visitors_of_a_container_that_is_draining_are_not_interrupted() =>
        AssertStays(_quiet with
        {
            Candidate = new ContainerState.Draining(1,
            Sample.RunningContainer("old", Sample.Release(Sample.OldImage)))
        });

    [Fact]
    public void A_container_that_is_being_stopped_is_not_interrupted() =>
        AssertStays(_quiet with
        {
            Candidate = new ContainerState.Stopping(1,
            Sample.RunningContainer("old", Sample.Release(Sample.OldImage)), new StopReason.Retired())
        });

    [Fact]
    public void A_candidate_that_is_being_started_is_not_interrupted() =>
        AssertStays(_quiet with { Candidate = new ContainerState.Starting(1, Sample.Release(Sample.NewerImage), Now) });

    [Fact]
    public void An_unproven_image_is_watched_to_the_end() => AssertStays(Unproven(_policy.Watch - TimeSpan.FromSeconds(1)));

    [Fact]
    public void A_watch_that_is_over_but_cannot_be_confirmed_keeps_nothing_up() => AssertStops(Unproven(_policy.Watch));

    [Fact]
    public void A_proven_image_that_was_just_started_keeps_nothing_up() => AssertStops(_quiet with { Front = Serving(Now) });

    [Theory]
    [InlineData(ImageTrial.MaxStrikes, true)]
    [InlineData(ImageTrial.MaxStrikes - 1, false)]
    public void An_image_that_has_failed_its_trial_and_only_serves_for_want_of_another_keeps_nothing_up(int strikes, bool stops)
    {
        var state = Unproven(TimeSpan.Zero);
        state = state with { Images = state.Images with { Verdict = new Verdict.OnTrial(Sample.NewImage, strikes, 1) } };
        Assert.Equal(stops, Stops(state));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void A_restart_is_waited_for_until_the_app_counts_as_crash_looping(int crashes, bool stops)
    {
        var cause = new Failure(Now, null, Sample.Refused, null);
        Assert.Equal(stops, Stops(_quiet with
        {
            Front = new ContainerState.BackingOff(Now + TimeSpan.FromMinutes(1), cause),
            Failures = new FailureHistory { Crashes = crashes },
        }));
        Assert.Equal(stops, Stops(_quiet with
        {
            Candidate = new ContainerState.BackingOff(Now + TimeSpan.FromMinutes(1), cause),
            Failures = new FailureHistory { OfCandidate = crashes },
        }));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void A_container_that_is_being_probed_is_waited_for_as_long_as_the_engine_is_not_away_for_long(int failures, bool stops)
    {
        var engine = failures == 0 ? _quiet.Engine : Sample.LoadFailed(Sample.EngineUnreachable, _quiet.Engine.Value, failures);
        var probing = new ContainerState.Probing(
            Sample.RunningContainer("front", Sample.Release(Sample.NewImage)), Now, ProbeKind.Startup, new ProbeSchedule(Now, null), null,
                Adopted: false);
        Assert.Equal(stops, Stops(_quiet with { Front = probing, Engine = engine }));
        Assert.Equal(stops, Stops(_quiet with { Front = new ContainerState.Unknown(), Engine = engine }));
        Assert.Equal(stops, Stops(_quiet with { Front = new ContainerState.Absent(), Engine = engine }));
    }

    [Fact]
    public void An_engine_that_never_answered_keeps_nothing_up() =>
        AssertStops(_quiet with { Front = new ContainerState.Unknown(), Engine = Sample.LoadFailed<Inventory>(Sample.EngineUnreachable) });

    [Fact]
    public void An_app_that_nothing_can_be_started_of_keeps_nothing_up() =>
        AssertStops(_quiet with { Front = new ContainerState.Absent(), Secrets = Fetched<SecretVersions>.Wanted });

    [Fact]
    public void A_start_that_waits_for_fresh_secrets_is_waited_for_until_it_goes_on_without_them()
    {
        AgentState Reading(TimeSpan since) => _quiet with
        {
            Front = new ContainerState.Absent(),
            Secrets = new Fetched<SecretVersions>(Sample.Secrets("1"), Moment.Zero, new FetchState.Running(0, Now - since, false, null)),
            Image = Fetched<FetchedImage>.Idle,
        };
        AssertStays(Reading(_policy.FreshSecretsTimeout - TimeSpan.FromSeconds(1)));
        AssertStops(Reading(_policy.FreshSecretsTimeout));
    }

    private static ContainerState.Serving Serving(Moment since) =>
        new(Sample.RunningContainer("front", Sample.Release(Sample.NewImage)), since, 0, new ProbeSchedule(Now, null), null);

    private AgentState Unproven(TimeSpan since) => _quiet with
    {
        Front = Serving(Now - since),
        Images = new ImageHistory { Verdict = new Verdict.OnTrial(Sample.NewImage, 0, 1) },
    };

    private bool Stops(AgentState state)
    {
        var effects = ImmutableArray.CreateBuilder<Effect>();
        IdleStop.Plan(state, _policy, effects);
        return effects.Contains(new Effect.StopInstance());
    }

    private void AssertStops(AgentState state) => Assert.True(Stops(state));

    private void AssertStays(AgentState state) => Assert.False(Stops(state));
}
