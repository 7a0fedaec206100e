using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>When a command is answered, and with what.</summary>
public class RequestRuleTests
{
    private static readonly Moment Asked = Moment.Zero + TimeSpan.FromMinutes(10);
    private static readonly Problem Crashed = new(ProblemCatalog.AppExited, "It exited.", "See its output.");

    private readonly ContainerStory _story = new();

    [Fact]
    public void A_stop_by_docker_that_is_reported_after_an_operators_start_does_not_hold_the_app()
    {
        _story.StartServing();
        var id = _story.CurrentContainer.Id;
        _story.Crash(143).Request(RequestKind.Start).Handle(at => new Event.ExternalStopRequested(at, id));
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_stop_by_docker_before_an_operators_start_does_not_hold_the_app_when_its_end_is_seen()
    {
        _story.StartServing();
        var ended = _story.CurrentContainer.Exited(143);
        _story.Handle(at => new Event.ExternalStopRequested(at, ended.Id)).Request(RequestKind.Start);
        _story.SetContainers(ended).CompleteInspections();
        Assert.Null(_story.State.Hold);
    }

    [Fact]
    public void A_stop_of_an_app_that_is_between_two_starts_is_confirmed_only_by_the_engine()
    {
        _story.StartServing().Crash().LoseEngine().Request(RequestKind.Stop);
        Assert.Equal("engine-unreachable", _story.State.Requests.LastOutcome?.Problem?.Code);
        _story.Handle(at => new Event.Tick(at));
        Assert.NotNull(_story.State.Requests.LastOutcome?.Problem);
        _story.RecoverEngine();
        Assert.Null(_story.State.Requests.LastOutcome?.Problem);
    }

    [Fact]
    public void An_update_does_not_fail_with_a_pull_that_was_under_way_before_the_tag_was_looked_up()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve();
        Assert.True(_story.IsPending<Effect.FetchImage>());
        _story.Tag = Sample.NewestImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().FailFetch();
        Assert.NotNull(_story.State.Requests.Current);
        _story.CompleteResolve();
        Assert.NotNull(_story.State.Requests.Current);
        Assert.Equal(Sample.NewestImage, _story.SinglePending<Effect.FetchImage>().Resolution.Image);
    }

    [Fact]
    public void An_update_uses_the_pull_that_is_under_way_if_the_tag_has_not_moved()
    {
        _story.StartServing().Tag = Sample.NewerImage;
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().ForgetStartedEffects();
        _story.Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().CompleteFetch();
        Assert.Equal(0, _story.CountStarted<Effect.FetchImage>());
        Assert.True(_story.IsPending<Effect.StopContainer>());
    }

    [Fact]
    public void A_start_does_not_fail_with_the_registry_while_a_good_image_is_known()
    {
        var state = Open(RequestKind.Start) with
        {
            Tag = Sample.LoadFailed<Resolution>(Sample.Refused),
            Images = new ImageHistory { KnownGood = [Sample.NewImage] },
        };
        Assert.NotNull(OperatorRequests.End(state, _story.Policy).Requests.Current);
        Assert.Null(OperatorRequests.End(state with { Images = new ImageHistory() }, _story.Policy).Requests.Current);
    }

    [Fact]
    public void A_release_that_fails_after_an_update_was_asked_for_is_the_updates_failure() =>
        Assert.Equal(Crashed, OutcomeOf(FailedInFront()));

    [Fact]
    public void A_candidate_that_fails_after_an_update_was_asked_for_is_the_updates_failure() =>
        Assert.Equal(Crashed, OutcomeOf(FailedInFront() with { Front = Serving(Sample.OldImage), Candidate = BackingOff() }));

    [Fact]
    public void A_release_that_failed_before_an_update_was_asked_for_is_not_the_updates_failure()
    {
        var state = FailedInFront();
        AssertOpen(state with
        {
            Failures = new FailureHistory { Last = state.Failures.Last! with { At = Asked - TimeSpan.FromSeconds(1) } },
        });
    }

    [Fact]
    public void A_release_that_is_just_being_started_again_has_not_failed_yet() =>
        AssertOpen(FailedInFront() with { Front = new ContainerState.Starting(1, Sample.Release(Sample.NewImage), Asked) });

    [Fact]
    public void The_failure_of_another_release_is_not_the_updates_failure()
    {
        var state = FailedInFront();
        AssertOpen(state with { Failures = new FailureHistory { Last = state.Failures.Last! with { ReleaseId = "another" } } });
    }

    [Fact]
    public void The_failure_of_an_unlabelled_container_is_no_commands_failure()
    {
        var state = FailedInFront(RequestKind.Start);
        state = state with
        {
            Tag = Fetched<Resolution>.Wanted,
            Failures = new FailureHistory { Last = state.Failures.Last! with { ReleaseId = null } }
        };
        AssertOpen(state with { Images = state.Images with { KnownGood = [Sample.OldImage] } });
    }

    [Fact]
    public void An_image_on_trial_that_can_be_rolled_back_has_not_failed_the_update_yet() =>
        AssertOpen(OnTrial(Sample.NewImage, Sample.OldImage));

    [Fact]
    public void An_image_on_trial_that_cannot_be_rolled_back_fails_the_update() =>
        Assert.Equal(Crashed, OutcomeOf(OnTrial(Sample.NewImage)));

    [Fact]
    public void A_proven_image_that_fails_fails_the_update_whatever_else_is_on_trial() =>
        Assert.Equal(Crashed, OutcomeOf(OnTrial(Sample.NewestImage, Sample.OldImage)));

    [Fact]
    public void A_failure_that_is_not_the_images_fault_fails_the_update_of_an_image_on_trial()
    {
        var state = OnTrial(Sample.NewImage, Sample.OldImage);
        Assert.Equal(Sample.Refused,
            OutcomeOf(state with { Failures = new FailureHistory { Last = state.Failures.Last! with { Problem = Sample.Refused } } }));
    }

    [Fact]
    public void A_rollback_before_the_tag_is_known_sets_aside_what_serves_and_not_what_ran_before()
    {
        var state = new AgentState
        {
            Front = Serving(Sample.NewImage),
            Images = new ImageHistory { KnownGood = [Sample.OldImage], LastRun = Sample.OldImage }
        };
        Assert.Equal(Sample.NewImage,
            Assert.IsType<Verdict.RolledBack>(OperatorRequests.Begin(state, RequestKind.Rollback).Images.Verdict).Image);
    }

    [Fact]
    public void A_rollback_fails_where_nothing_has_ever_run()
    {
        var state = OperatorRequests.Begin(new AgentState { Images = new ImageHistory { KnownGood = [Sample.OldImage] } },
            RequestKind.Rollback);
        Assert.Equal("no-last-good", state.Requests.LastOutcome?.Problem?.Code);
        Assert.Null(state.Images.Verdict);
    }

    [Fact]
    public void A_stop_is_not_done_before_the_second_container_is_gone()
    {
        var second = new ContainerState.Stopping(1, Sample.RunningContainer("second", Sample.Release(Sample.NewImage)),
            new StopReason.Requested());
        AssertOpen(Open(RequestKind.Stop) with { Hold = StopHold.Operator, Candidate = second });
        Assert.Null(OutcomeOf(Open(RequestKind.Stop) with { Hold = StopHold.Operator }));
    }

    [Fact]
    public void An_image_that_could_not_be_judged_is_named_by_the_start_of_its_digest()
    {
        var state = new AgentState { Images = new ImageHistory { Verdict = new Verdict.Undecided(Sample.CurrentImage, Crashed, 1, null) } };
        var what = OperatorRequests.Begin(state, RequestKind.Rollback).Requests.LastOutcome?.Problem?.What;
        Assert.Contains("sha256:0123456789ab ", what, StringComparison.Ordinal);
    }

    private static ContainerState.BackingOff BackingOff() => new(Asked + TimeSpan.FromMinutes(1), new Failure(Asked, null, Crashed, null));

    private static ContainerState.Serving Serving(ImageName image) =>
        new(Sample.RunningContainer("front", Sample.Release(image)), Moment.Zero, 0, new ProbeSchedule(Asked, null), null);

    private static AgentState Open(RequestKind kind) => new()
    {
        Now = Asked,
        Front = new ContainerState.Absent(),
        Engine = Sample.Loaded(new Inventory([], "20.10")),
        Secrets = new Fetched<SecretVersions>(Sample.Secrets("1"), Asked, new FetchState.Idle()),
        Tag = new Fetched<Resolution>(Sample.ResolutionOf(Sample.NewImage), Asked, new FetchState.Idle()),
        Image = Sample.Loaded(new FetchedImage(Sample.NewImage.Digest, 0)),
        Requests = new RequestState { Current = new OperatorRequest(1, kind, Asked, null) },
    };

    private static AgentState FailedInFront(RequestKind kind = RequestKind.Update) => Open(kind) with
    {
        Front = BackingOff(),
        Failures = new FailureHistory { Last = new Failure(Asked, Sample.Release(Sample.NewImage).Id, Crashed, null) },
    };

    private static AgentState OnTrial(ImageName image, params ImageName[] good) => FailedInFront() with
    {
        Images = new ImageHistory { Verdict = new Verdict.OnTrial(image, 2, 1), KnownGood = [.. good] },
    };

    private void AssertOpen(AgentState state) => Assert.NotNull(OperatorRequests.End(state, _story.Policy).Requests.Current);

    private Problem? OutcomeOf(AgentState state)
    {
        var after = OperatorRequests.End(state, _story.Policy);
        Assert.Null(after.Requests.Current);
        return after.Requests.LastOutcome?.Problem;
    }
}
