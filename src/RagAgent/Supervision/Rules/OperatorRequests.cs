using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Operator requests: what they change, when they are done, and how they ended.</summary>
internal static class OperatorRequests
{
    public static AgentState Begin(AgentState state, RequestKind kind)
    {
        // A request of the same kind joins the one in progress.
        var previousRelease = state.Requests.Current is { } current && current.Kind == kind
            ? current.PreviousRelease
            : (state.Front as ContainerState.Serving)?.Container.ReleaseId;
        var id = state.LastOperation + 1;
        var request = new OperatorRequest(id, kind, state.Now, previousRelease);
        state = state with { LastOperation = id, Requests = state.Requests with { Current = request } };
        return kind switch
        {
            RequestKind.Stop => state with { Hold = StopHold.Operator, HeldAt = state.Now },
            RequestKind.Start => RefreshAll(state with
            {
                Hold = null,
                HeldAt = null,
                Evidence = state.Evidence with { ExternalStop = null, LastEnd = null },
            }),
            _ when state.Hold is { } hold => Fail(state, AppStopped(hold)),
            RequestKind.Rollback => Rollback(state),
            RequestKind.Unquarantine when state.Images.Verdict is not { IsAvoided: true } => Fail(state, NothingQuarantined),
            RequestKind.Unquarantine => RefreshAll(state.WithVerdict(null)),
            _ => RefreshAll(state.Images.Verdict is Verdict.Undecided ? state.WithVerdict(null) : state),
        };
    }

    /// <summary>Ends the current request once its outcome is known.</summary>
    public static AgentState End(AgentState state, Policy policy) => state.Requests.Current switch
    {
        null => CompleteLateStop(state),
        { Kind: RequestKind.Stop } => EndStop(state),
        { Kind: RequestKind.Start } start => EndStart(state, start, policy),
        var request => EndUpdate(state, request, policy),
    };

    /// <summary>The current request fails with this problem. What it changed in the state stays.</summary>
    public static AgentState Fail(AgentState state, Problem problem)
    {
        var request = state.Requests.Current!;
        return WithOutcome(state, new RequestOutcome(request.Id, request.Kind, Changed: false, Digest: null, problem));
    }

    private static AgentState Succeed(AgentState state, ContainerState.Serving? serving)
    {
        var request = state.Requests.Current!;
        // A rollback may only have called off a candidate: the same release serves, but another one will run from now on.
        var changed = serving is not null &&
            (serving.Container.ReleaseId != request.PreviousRelease || request.Kind == RequestKind.Rollback);
        return WithOutcome(state, new RequestOutcome(request.Id, request.Kind, changed, serving?.Container.Image?.Digest, Problem: null));
    }

    private static AgentState WithOutcome(AgentState state, RequestOutcome outcome) =>
        state with { Requests = state.Requests with { Current = null, LastOutcome = outcome } };

    /// <summary>A stop failed while the engine was away, but stayed in effect. By now the app has stopped.</summary>
    private static AgentState CompleteLateStop(AgentState state) =>
        state is { Requests.LastOutcome: { Kind: RequestKind.Stop, Problem: not null } late, Hold: StopHold.Operator } && IsStopped(state)
            ? state with { Requests = state.Requests with { LastOutcome = late with { Problem = null } } }
            : state;

    private static AgentState EndStop(AgentState state)
    {
        if (state.Engine.Problem is { } problem)
        {
            return Fail(state, problem with { Remedy = $"{problem.Remedy} The stop stays in effect: the app stops as soon as the engine answers." });
        }
        return IsStopped(state) ? Succeed(state, null) : state;
    }

    private static AgentState EndStart(AgentState state, OperatorRequest request, Policy policy)
    {
        if (state.Engine.Problem is { } problem)
        {
            return Fail(state, problem with { Remedy = $"{problem.Remedy} The app starts as soon as the engine answers." });
        }
        if (state is { Front: ContainerState.Serving serving, Engine.State: FetchState.Idle })
        {
            return Succeed(state, serving);
        }
        return StartFailure(state, request, policy) is { } obstacle ? Fail(state, obstacle) : state;
    }

    private static bool IsStopped(AgentState state) => state is { Front: ContainerState.Absent, Candidate: null, EngineIsReachable: true };

    private static AgentState EndUpdate(AgentState state, OperatorRequest request, Policy policy)
    {
        var isUpToDate = request.NeedsNothingNew ||
            (state.Tag.ReadAt >= request.RequestedAt && state.Secrets.ReadAt >= request.RequestedAt);
        if (isUpToDate && state.Front is ContainerState.Serving serving &&
            DesiredRelease.Of(state, policy) is { } desired && desired.Id == serving.Container.ReleaseId)
        {
            // If an older image serves because the newest is avoided, a rollback has succeeded but an update has not.
            return request.Kind != RequestKind.Rollback &&
                state.Images.Verdict is { IsAvoided: true } verdict && verdict.Image == state.Tag.Value?.Image
                ? Fail(state, AvoidedProblem(verdict))
                : Succeed(state, serving);
        }
        var failure = request.NeedsNothingNew ? RollbackFailure(state, request, policy) : UpdateFailure(state, request, policy);
        return failure is { } problem ? Fail(state, problem) : state;
    }

    /// <summary>Only what the rollback needs can fail it. A failure of what the next container needs does not take it back.</summary>
    private static Problem? RollbackFailure(AgentState state, OperatorRequest request, Policy policy)
    {
        var obstacle = state.Engine.Problem ??
            (state.Secrets.Value is null ? state.Secrets.Problem : null) ??
            (ImageTrial.Fallback(state) is { } fallback && state.IsDefective(fallback) ? state.Images.Fallback.Problem : null);
        return obstacle is null
            ? FailedRelease(state, request, policy)
            : obstacle with { Remedy = $"{obstacle.Remedy} The rollback stays in effect: the last good image runs as soon as this works." };
    }

    private static Problem? UpdateFailure(AgentState state, OperatorRequest request, Policy policy) =>
        state.Engine.Problem ?? state.Secrets.Problem ?? state.Tag.Problem ??
        (state.Tag.ReadAt >= request.RequestedAt ? state.Image.Problem : null) ??
        FailedRelease(state, request, policy);

    /// <summary>What keeps the app from starting; null: nothing, as far as is known.</summary>
    private static Problem? StartFailure(AgentState state, OperatorRequest request, Policy policy) =>
        state.Secrets.Problem ??
        (DesiredRelease.CachedImage(state, policy) is null ? state.Tag.Problem ?? state.Image.Problem : null) ??
        FailedRelease(state, request, policy);

    /// <summary>
    /// A release that was started for this request and failed fails the request, once nothing more is tried. While its image is on trial
    /// and there is an image to go back to, the trial decides.
    /// </summary>
    private static Problem? FailedRelease(AgentState state, OperatorRequest request, Policy policy)
    {
        var isBackingOff = state.Front is ContainerState.BackingOff || state.Candidate is ContainerState.BackingOff;
        if (!isBackingOff || state.Failures.Last is not { } failure || failure.At < request.RequestedAt)
        {
            return null;
        }
        var desired = DesiredRelease.Of(state, policy);
        var isOnTrial = state.Images.Verdict is Verdict.OnTrial trial && trial.Image == desired?.Image &&
            ImageTrial.Fallback(state) is not null && failure.Problem.Kind.ImageBlame > 0;
        return failure.ReleaseId is not null && failure.ReleaseId == desired?.Id && !isOnTrial ? failure.Problem : null;
    }

    private static AgentState Rollback(AgentState state)
    {
        if (state.Images.Verdict is { IsAvoided: true } verdict)
        {
            return Fail(state, verdict is Verdict.Undecided ? AvoidedProblem(verdict) : AlreadyRolledBack(verdict.Image));
        }
        var newest = state.Tag.Value?.Image ?? state.Front.Current?.Image ?? state.Images.LastRun;
        if (newest is null || state.Images.KnownGood.All(good => good == newest))
        {
            return Fail(state, NoLastGood);
        }
        var rolledBack = new Verdict.RolledBack(newest, RolledBackByOperator, Strikes: 0, Round: 1, ByOperator: true, Inputs: null);
        state = RetryAtOnce(state.WithVerdict(rolledBack));
        return state with { Secrets = state.Secrets.Value is null ? state.Secrets.Refresh() : state.Secrets };
    }

    /// <summary>Everything is looked up again, and no delay of an earlier failure holds up the request.</summary>
    private static AgentState RefreshAll(AgentState state) => RetryAtOnce(state) with
    {
        Secrets = state.Secrets.Refresh(),
        Tag = state.Tag.Refresh(),
        Image = state.Image.Problem is null ? state.Image : state.Image.Refresh(),
    };

    /// <summary>No delay of an earlier failure holds up the request.</summary>
    private static AgentState RetryAtOnce(AgentState state) => state with
    {
        Front = state.Front is ContainerState.BackingOff ? new ContainerState.Absent() : state.Front,
        Candidate = state.Candidate is ContainerState.BackingOff ? null : state.Candidate,
        Engine = state.Engine.Problem is null ? state.Engine : state.Engine.Refresh(),
    };

    private static Problem AvoidedProblem(Verdict verdict) => verdict switch
    {
        Verdict.Undecided undecided => new(
            ProblemCatalog.ImageUndecided,
            $"The newest image {Humanize.Digest(undecided.Image.Digest)} failed, and so did the one before it: {undecided.Cause.What}",
            "Check what both need: the configuration, the secrets, the machine. It is tried again when one of these changes."),
        Verdict.RolledBack rolledBack => Quarantined(rolledBack.Image, rolledBack.Cause),
        Verdict.Quarantined quarantined => Quarantined(quarantined.Image, quarantined.Cause),
        _ => NothingQuarantined,
    };

    private static Problem Quarantined(ImageName image, Problem cause) => new(
        ProblemCatalog.ImageQuarantined,
        $"The newest image {Humanize.Digest(image.Digest)} is quarantined, and the last good one runs instead: {cause.What}",
        "Push a fixed image, or try this one again with 'ragagent unquarantine'.");

    private static Problem RolledBackByOperator => new(
        ProblemCatalog.ImageRolledBack,
        "An operator rolled it back.",
        "It does not run again until the tag moves or 'ragagent unquarantine' releases it.");

    private static Problem AppStopped(StopHold hold) => new(
        ProblemCatalog.AppStopped,
        hold == StopHold.Operator ? "The app is stopped, by 'ragagent stop'." : "The app is stopped, by 'docker stop'.",
        "Start it with 'ragagent start'.");

    private static Problem NothingQuarantined => new(
        ProblemCatalog.NothingQuarantined,
        "No image is quarantined.",
        "There is nothing to do; 'ragagent status' shows what serves.");

    private static Problem AlreadyRolledBack(ImageName image) => new(
        ProblemCatalog.ImageQuarantined,
        $"The newest image {Humanize.Digest(image.Digest)} is already quarantined, and the one before it runs: a rollback goes one step back.",
        "Push an older version under the tag again, or try the newest again with 'ragagent unquarantine'.");

    private static Problem NoLastGood => new(
        ProblemCatalog.NoLastGood,
        "No other image is known to be good, so there is nothing to roll back to.",
        "Push the version you want under the tag again.");
}
