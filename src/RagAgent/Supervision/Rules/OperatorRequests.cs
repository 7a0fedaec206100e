using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What operators ask for: how it begins, when it is over, and how it ended.</summary>
internal static class OperatorRequests
{
    public static AgentState Begin(AgentState state, RequestKind kind)
    {
        var from = state.Request is { } open && open.Kind == kind ? open.PreviousRelease : (state.Front as ContainerState.Serving)?.Container.ReleaseId;
        state = state with { LastOperation = state.LastOperation + 1, Request = new OperatorRequest(state.LastOperation + 1, kind, state.Now, from) };
        return kind switch
        {
            RequestKind.Stop => state with { Hold = Hold.Operator, HeldAt = state.Now },
            RequestKind.Start => RefreshAll(state with { Hold = null, HeldAt = null, ExternalStop = null, LastEnd = null }),
            _ when state.Hold is { } hold => Fail(state, AppStopped(hold)),
            RequestKind.Rollback => Rollback(state),
            RequestKind.Unquarantine when state.Verdict is not { IsAvoided: true } => Fail(state, NothingQuarantined),
            RequestKind.Unquarantine => RefreshAll(state with { Verdict = null }),
            _ => RefreshAll(state.Verdict is Verdict.Undecided ? state with { Verdict = null } : state),
        };
    }

    /// <summary>Ends the request that is open when its answer is known.</summary>
    public static AgentState End(AgentState state, Policy policy) => state.Request?.Kind switch
    {
        // What could not be done when it was asked for held, and is done by now.
        null => state is { LastOutcome: { Kind: RequestKind.Stop, Problem: not null } late, Hold: Hold.Operator } && IsStopped(state) ? state with { LastOutcome = late with { Problem = null } } : state,
        RequestKind.Stop => state.Engine.Problem is { } problem ? Fail(state, problem with { Remedy = $"{problem.Remedy} The stop holds: the app is stopped as soon as the engine answers." })
            : IsStopped(state) ? Succeed(state, null) : state,
        RequestKind.Start => state.Engine.Problem is { } problem ? Fail(state, problem with { Remedy = $"{problem.Remedy} The app is started as soon as the engine answers." })
            : state is { Front: ContainerState.Serving serving, Engine.State: FetchState.Idle } ? Succeed(state, serving) : Obstacle(state, state.Request, policy) is { } obstacle ? Fail(state, obstacle) : state,
        _ => EndUpdate(state, state.Request, policy),
    };

    private static bool IsStopped(AgentState state) => state is { Front: ContainerState.Absent, Candidate: null, EngineIsReachable: true };

    private static AgentState EndUpdate(AgentState state, OperatorRequest request, Policy policy)
    {
        var learned = state.Tag.ReadAt >= request.RequestedAt && state.Secrets.ReadAt >= request.RequestedAt;
        if (learned && state.Front is ContainerState.Serving serving && DesiredRelease.Of(state, policy) is { } desired && desired.Id == serving.Container.ReleaseId)
        {
            // The one before it serves well: that is an answer to a rollback, and none to an update.
            return request.Kind != RequestKind.Rollback && state.Verdict is { IsAvoided: true } verdict && verdict.Image == state.Tag.Value?.Image
                ? Fail(state, AvoidedProblem(verdict))
                : Succeed(state, serving);
        }
        return UpdateFailure(state, request, policy) is { } problem ? Fail(state, problem) : state;
    }

    private static Problem? UpdateFailure(AgentState state, OperatorRequest request, Policy policy) =>
        state.Engine.Problem ?? state.Secrets.Problem ?? state.Tag.Problem ??
        (state.Tag.ReadAt >= request.RequestedAt ? state.Image.Problem : null) ??
        FailedRelease(state, request, policy);

    /// <summary>What keeps the app from being started.</summary>
    private static Problem? Obstacle(AgentState state, OperatorRequest request, Policy policy) =>
        state.Secrets.Problem ??
        (state.LastImage is null && state.KnownGood.IsEmpty ? state.Tag.Problem ?? state.Image.Problem : null) ??
        FailedRelease(state, request, policy);

    /// <summary>
    /// A release that was started for this request and failed is its failure, once nothing more is tried for it: while its image is
    /// on trial and there is one to go back to, the trial has the last word.
    /// </summary>
    private static Problem? FailedRelease(AgentState state, OperatorRequest request, Policy policy)
    {
        if (state.LastFailure is not { } failure || failure.At < request.RequestedAt || !(state.Front is ContainerState.BackingOff || state.Candidate is ContainerState.BackingOff))
        {
            return null;
        }
        var desired = DesiredRelease.Of(state, policy);
        var isOnTrial = state.Verdict is Verdict.OnTrial trial && trial.Image == desired?.Image && Rollout.Fallback(state) is not null && ContainerProblems.Weight(failure.Problem) > 0;
        return failure.ReleaseId is not null && failure.ReleaseId == desired?.Id && !isOnTrial ? failure.Problem : null;
    }

    private static AgentState Rollback(AgentState state)
    {
        if (state.Verdict is { IsAvoided: true } already)
        {
            return Fail(state, already is Verdict.Undecided ? AvoidedProblem(already) : AlreadyRolledBack(already.Image));
        }
        var from = state.Tag.Value?.Image ?? state.Front.Current?.Image ?? state.LastImage;
        return from is null || state.KnownGood.All(good => good == from)
            ? Fail(state, NoLastGood)
            : RefreshAll(state with { Verdict = new Verdict.RolledBack(from, RolledBackByOperator, 0, 1, ByOperator: true, Inputs: null) });
    }

    /// <summary>Everything is asked again, and nobody who asks waits for a delay that an earlier failure earned.</summary>
    private static AgentState RefreshAll(AgentState state) => state with
    {
        Secrets = state.Secrets.Refresh(),
        Tag = state.Tag.Refresh(),
        Image = state.Image.Problem is null ? state.Image : state.Image.Refresh(),
        Front = state.Front is ContainerState.BackingOff ? new ContainerState.Absent() : state.Front,
        Candidate = state.Candidate is ContainerState.BackingOff ? null : state.Candidate,
        Engine = state.Engine.Problem is null ? state.Engine : state.Engine.Refresh(),
    };

    private static AgentState Succeed(AgentState state, ContainerState.Serving? serving) => state with
    {
        Request = null,
        // A rollback may have called off a candidate: what serves is the same, and what is run from now on is not.
        LastOutcome = new RequestOutcome(state.Request!.Id, state.Request.Kind, serving is not null && (serving.Container.ReleaseId != state.Request.PreviousRelease || state.Request.Kind == RequestKind.Rollback), serving?.Container.Image?.Digest, null),
    };

    /// <summary>The request that is open ends with this; the state keeps what it asked for.</summary>
    public static AgentState Fail(AgentState state, Problem problem) => state with
    {
        Request = null,
        LastOutcome = new RequestOutcome(state.Request!.Id, state.Request.Kind, Changed: false, null, problem),
    };

    private static Problem AvoidedProblem(Verdict verdict) => verdict switch
    {
        Verdict.Undecided undecided => new(ProblemCatalog.ImageUndecided,
            $"The newest image {Humanize.Digest(undecided.Image.Digest)} failed, and so did the one before it: {undecided.Cause.What}",
            "Look for what both need: the configuration, the secrets, the machine. It is tried again when one of these changes."),
        Verdict.RolledBack { Cause: var why } => Quarantined(verdict.Image, why),
        Verdict.Quarantined { Cause: var why } => Quarantined(verdict.Image, why),
        _ => NothingQuarantined,
    };

    private static Problem Quarantined(ImageName image, Problem why) => new(ProblemCatalog.ImageQuarantined,
        $"The newest image {Humanize.Digest(image.Digest)} was set aside, and the last good one is run instead: {why.What}",
        "Push a better one, or give it another chance with 'ragagent unquarantine'.");

    private static Problem RolledBackByOperator => new(ProblemCatalog.ImageRolledBack,
        "An operator asked for it.", "It is not run again until the tag moves, or 'ragagent unquarantine'.");

    private static Problem AppStopped(Hold hold) => new(ProblemCatalog.AppStopped,
        hold == Hold.Operator ? "The app is stopped, by 'ragagent stop'." : "The app is stopped, by 'docker stop'.", "Start it with 'ragagent start'.");

    private static Problem NothingQuarantined => new(ProblemCatalog.NothingQuarantined, "No image is set aside.", "There is nothing to do; 'ragagent status' shows what serves.");

    private static Problem AlreadyRolledBack(ImageName image) => new(ProblemCatalog.ImageQuarantined,
        $"The newest image {Humanize.Digest(image.Digest)} is set aside already, and the one before it is run: a rollback goes one step back.",
        "Push an older version under the tag again, or give the newest another chance with 'ragagent unquarantine'.");

    private static Problem NoLastGood => new(ProblemCatalog.NoLastGood, "There is no other image that has proven itself, so there is nothing to go back to.",
        "Push the wanted version under the tag again.");
}
