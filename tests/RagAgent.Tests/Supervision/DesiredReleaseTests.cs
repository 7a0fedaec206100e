using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Which release should run, and when the one that runs must make room for it.</summary>
public class DesiredReleaseTests
{
    private static readonly Moment Now = Moment.Zero + TimeSpan.FromHours(1);
    private static readonly Verdict Avoided = new Verdict.Quarantined(Sample.NewImage, Sample.Refused);

    private readonly Policy _policy = new() { ConfigFingerprint = ContainerStory.Config };

    /// <summary>Nothing runs, and the newest image is on disk.</summary>
    private readonly AgentState _state = new()
    {
        Now = Now,
        Front = new ContainerState.Absent(),
        Engine = Sample.Loaded(new Inventory([], "20.10")),
        Secrets = Sample.Loaded(Sample.Secrets("1")),
        Tag = Sample.Loaded(Sample.ResolutionOf(Sample.NewImage)),
        Image = Sample.Loaded(new FetchedImage(Sample.NewImage.Digest, 0)),
    };

    [Fact]
    public void An_image_that_failed_is_run_where_there_is_no_other() =>
        Assert.Equal(Sample.NewImage, DesiredRelease.Of(_state with { Images = new ImageHistory { Verdict = Avoided } }, _policy)?.Image);

    [Fact]
    public void An_unproven_container_that_serves_is_left_alone_while_the_newest_image_is_set_aside() =>
        Assert.Equal(Sample.NewerImage, InsteadOfAvoided(new ContainerState.Serving(Container(), Now, 0, default, null)));

    [Fact]
    public void An_unproven_container_that_was_found_is_left_alone_while_the_newest_is_set_aside() =>
        Assert.Equal(Sample.NewerImage, InsteadOfAvoided(Probing(adopted: true)));

    [Fact]
    public void An_unproven_container_that_was_only_just_started_is_not_run_instead_of_the_last_good_one() =>
        Assert.Equal(Sample.OldImage, InsteadOfAvoided(Probing(adopted: false)));

    [Fact]
    public void A_container_that_is_being_stopped_is_not_run_instead_of_the_last_good_one() =>
        Assert.Equal(Sample.OldImage, InsteadOfAvoided(new ContainerState.Stopping(1, Container(), new StopReason.Stray())));

    [Fact]
    public void An_avoided_image_makes_room_although_visitors_have_sessions_open()
    {
        var serving = new ContainerState.Serving(Sample.RunningContainer("front", Sample.Release(Sample.NewImage)), Now, 0, default, null);
        var state = _state with
        {
            Front = serving,
            Sessions = Sample.OpaqueSessions(3),
            Images = new ImageHistory { Verdict = Avoided, KnownGood = [Sample.OldImage] }
        };
        Assert.True(DesiredRelease.MustYield(state, serving, _policy));
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    public void After_a_command_a_container_makes_room_only_for_what_was_learned_since(bool tagIsFresh, bool secretsAreFresh,
        bool mustYield)
    {
        var (state, serving) = Requested();
        state = state with
        {
            Tag = state.Tag with { ReadAt = tagIsFresh ? Now : Now - TimeSpan.FromSeconds(1) },
            Secrets = state.Secrets with { ReadAt = secretsAreFresh ? Now : Now - TimeSpan.FromSeconds(1) },
        };
        Assert.Equal(mustYield, DesiredRelease.MustYield(state, serving, _policy));
    }

    [Fact]
    public void After_a_command_a_container_makes_room_for_what_is_known_if_nothing_newer_can_be_learned()
    {
        var (state, serving) = Requested();
        var (freshTag, freshSecrets) = (state.Tag with { ReadAt = Now }, state.Secrets with { ReadAt = Now });
        var (failedTag, failedSecrets) = (Sample.LoadFailed(Sample.Refused, state.Tag.Value),
            Sample.LoadFailed(Sample.Refused, state.Secrets.Value));
        Assert.True(DesiredRelease.MustYield(state with { Tag = freshTag, Secrets = failedSecrets }, serving, _policy));
        Assert.True(DesiredRelease.MustYield(state with { Tag = failedTag, Secrets = freshSecrets }, serving, _policy));
    }

    [Fact]
    public void A_restart_does_not_wait_for_secrets_that_could_not_be_read_the_last_time()
    {
        Fetched<SecretVersions> Reading(Problem? problem) => new(_state.Secrets.Value, Now, new FetchState.Running(1, Now, false, problem));
        Assert.Null(DesiredRelease.Startable(_state with { Secrets = Reading(null) }, _policy));
        Assert.NotNull(DesiredRelease.Startable(_state with { Secrets = Reading(Sample.Refused) }, _policy));
    }

    [Fact]
    public void After_a_crash_a_good_image_is_started_although_it_is_not_known_which_one_ran_last()
    {
        var state = _state with
        {
            Tag = Fetched<Resolution>.Wanted,
            Failures = new FailureHistory { Crashes = 1 },
            Images = new ImageHistory { KnownGood = [Sample.OldImage] }
        };
        Assert.Equal(Sample.OldImage, DesiredRelease.Startable(state, _policy)?.Image);
    }

    private static Container Container() => Sample.RunningContainer("front", Sample.Release(Sample.NewerImage));

    private static ContainerState.Probing Probing(bool adopted) => new(Container(), Now, ProbeKind.Startup, default, null, adopted);

    private ImageName? InsteadOfAvoided(ContainerState front) =>
        DesiredRelease.Of(_state with { Front = front, Images = new ImageHistory { Verdict = Avoided, KnownGood = [Sample.OldImage] } },
            _policy)?.Image;

    private (AgentState State, ContainerState.Serving Serving) Requested()
    {
        var serving = new ContainerState.Serving(Sample.RunningContainer("front", Sample.Release(Sample.OldImage)), Now, 0, default, null);
        return (_state with
        {
            Front = serving,
            Requests = new RequestState { Current = new OperatorRequest(1, RequestKind.Update, Now, null) }
        }, serving);
    }
}
