using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The session that the gate runs: for which container, for how long, and what follows from one that failed.</summary>
/// <remarks>
/// Only an image on trial can be refused, and only if there is another one to run. A proven image serves whatever its session showed: an
/// outage of something that the app needs must never leave nothing serving. See docs/decisions/0023-the-gate-runs-a-session.md.
/// </remarks>
internal static class GateSession
{
    /// <summary>How long visitors wait for the session of an image that serves anyway.</summary>
    private static readonly TimeSpan ProvenLimit = TimeSpan.FromSeconds(60);

    // An exception may be the world's fault. So it must happen three times, over half a minute.
    private const int MaxFailures = 3;
    private static readonly TimeSpan MinSpan = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    /// <summary>The script of a session goes on for a while after its browser has left. Two must not run side by side.</summary>
    public static readonly TimeSpan MinPause = TimeSpan.FromSeconds(5);

    /// <summary>How long the session of the container's gate may take; null: the gate runs none.</summary>
    public static TimeSpan? Limit(AgentState state, ContainerState.Probing probing, Policy policy)
    {
        var hasPassed = state.RunOf(probing.Container) is { PassedGate: true };
        var servesAnyway = ServesAnyway(state, probing.Container.Image);
        return policy.GateRunsSession switch
        {
            false => null,
            // It has served before. Its visitors do not wait because the agent was restarted.
            _ when hasPassed || (probing.Adopted && servesAnyway) => null,
            _ when servesAnyway && ProvenLimit < policy.GateTimeout => ProvenLimit,
            _ => policy.GateTimeout,
        };
    }

    /// <summary>The image is not on trial: it serves even if its session fails.</summary>
    public static bool ServesAnyway(AgentState state, ImageName? image) =>
        state.Images.Verdict is not Verdict.OnTrial trial || trial.Image != image;

    /// <summary>Whether the container is stopped because its sessions failed.</summary>
    public static bool IsRefused(AgentState state, ContainerState.Probing probing) =>
        probing.Session is { } failed && HasFallback(state, probing.Container) && probing.Container.Status is not ContainerStatus.Paused &&
        (failed.IsFinal || (failed.Count >= MaxFailures && state.Now - failed.FirstAt >= MinSpan));

    /// <summary>It is not stopped for its failed sessions, because nothing else could run.</summary>
    public static bool IsKeptForLack(AgentState state, ContainerState.Probing probing) =>
        probing.Session is not null && !HasFallback(state, probing.Container);

    /// <summary>The process is about to run a session of the gate, runs one, or has failed one.</summary>
    public static bool Involves(AgentState state, ContainerState.Probing probing, Policy policy) =>
        probing.Session is not null ||
        (probing is { Stage: ProbeKind.Gate, Probe.InFlight: not null } && Limit(state, probing, policy) is not null);

    /// <summary>The session failed. The container gets another one, unless it is refused.</summary>
    public static ContainerState.Probing Fail(
        AgentState state, ContainerState.Probing probing, ProbeResult.SessionFailed result, Policy policy)
    {
        var failed = new SessionFailure(
            (probing.Session?.Count ?? 0) + 1, probing.Session?.FirstAt ?? state.Now, result.Error, result.IsFinal);
        var pause = HasFallback(state, probing.Container) ? Pause : policy.SessionRetry.After(failed.Count, jitter: 1);
        return probing with
        {
            // The process may die meanwhile, so it starts over with the startup probe.
            Stage = ProbeKind.Startup,
            Probe = new ProbeSchedule(state.Now + pause, InFlight: null),
            Session = failed,
            LastError = null,
            LastHttpStatus = null,
        };
    }

    /// <summary>
    /// A proven image's session failed, and it serves anyway. If it runs because another image failed in the same way, that one is
    /// probably not to blame.
    /// </summary>
    public static AgentState FailProven(AgentState state, Container container, string error, Policy policy)
    {
        var isFallback = state.Images.Verdict is Verdict.RolledBack { ByOperator: false } rolledBack &&
            rolledBack.Cause.Kind == ProblemCatalog.AppSessionFailed && ImageTrial.Fallback(state) == container.Image;
        return isFallback
            ? FailureHandling.Strike(state, container.Image, ContainerProblems.SessionFailed(container, error), policy)
            : state;
    }

    private static bool HasFallback(AgentState state, Container container) =>
        ImageTrial.Fallback(state) is { } fallback && fallback != container.Image;
}
