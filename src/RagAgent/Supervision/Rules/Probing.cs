using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What the result of a probe means for the container that was probed, in either slot.</summary>
internal static class Probing
{
    // One lost answer may be chance. After the second one, new clients would most likely wait in vain.
    private const int UnreadyFailures = 2;

    // So that clients return soon after it answers again.
    private static readonly TimeSpan UnreadyInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstStartupInterval = TimeSpan.FromMilliseconds(100);

    public static AgentState Apply(AgentState state, Event.Probed probed, Policy policy)
    {
        if (InFlight(state.Front) == probed.Operation)
        {
            return ApplyResult(state, Slot.Front, state.Front, probed.Result, policy);
        }
        return state.Candidate is { } candidate && InFlight(candidate) == probed.Operation
            ? ApplyResult(state, Slot.Candidate, candidate, probed.Result, policy)
            : state;
    }

    /// <summary>
    /// How many liveness failures in a row end a container. Twice as many while the machine is under pressure: then a slow app is not
    /// necessarily a sick app.
    /// </summary>
    public static int FailureThreshold(ContainerState.Serving serving, Policy policy) =>
        serving.UnderPressure ? 2 * policy.LivenessFailures : policy.LivenessFailures;

    /// <summary>
    /// Whether the container is ended: for as many failures in a row as the policy allows, over as long as they take at the policy's
    /// interval. An unready container is probed more often, which must not end it sooner.
    /// </summary>
    public static bool IsUnhealthy(ContainerState.Serving serving, Moment now, Policy policy)
    {
        var threshold = FailureThreshold(serving, policy);
        return serving.Failures >= threshold && serving.FailingSince is { } since &&
            now >= since + ((threshold - 1) * policy.LivenessInterval);
    }

    /// <summary>The time until the next liveness probe.</summary>
    public static TimeSpan LivenessInterval(int failures, Policy policy) =>
        failures >= UnreadyFailures && UnreadyInterval < policy.LivenessInterval ? UnreadyInterval : policy.LivenessInterval;

    /// <summary>The time from the container's start until it must be ready. Under pressure it gets twice as much.</summary>
    public static TimeSpan StartupLimit(ContainerState.Probing probing, Policy policy) =>
        probing.UnderPressure ? 2 * policy.StartupDeadline : policy.StartupDeadline;

    /// <summary>When the container must be ready. Null: no matter when.</summary>
    /// <remarks>The gate has a timeout of its own.</remarks>
    public static Moment? Deadline(AgentState state, ContainerState.Probing probing, Policy policy) =>
        GateSession.IsKeptForLack(state, probing) || probing is { Stage: ProbeKind.Gate, Probe.InFlight: not null }
            ? null
            : probing.Since + StartupLimit(probing, policy);

    private static long? InFlight(ContainerState slot) => slot switch
    {
        ContainerState.Probing probing => probing.Probe.InFlight,
        ContainerState.Serving serving => serving.Probe.InFlight,
        _ => null,
    };

    private static AgentState ApplyResult(AgentState state, Slot slot, ContainerState container, ProbeResult result, Policy policy) =>
        container switch
        {
            ContainerState.Probing probing => ApplyWhileProbing(state, slot, probing, result, policy),
            ContainerState.Serving serving => state.With(slot, ApplyWhileServing(state, serving, result, policy)),
            _ => state,
        };

    private static AgentState ApplyWhileProbing(
        AgentState state,
        Slot slot,
        ContainerState.Probing probing,
        ProbeResult result,
        Policy policy)
    {
        // Frequent at first, so that a fast app serves early, and then slower up to the configured interval.
        var age = Math.Max((state.Now - probing.Since).Ticks, FirstStartupInterval.Ticks);
        var retry = new ProbeSchedule(state.Now + TimeSpan.FromTicks(Math.Min(policy.StartupInterval.Ticks, age)), InFlight: null);
        return result switch
        {
            // Until the first probe could be sent, the deadline does not run: the app may be healthy.
            ProbeResult.NotSent => state.With(slot, probing with
            {
                Probe = new ProbeSchedule(state.Now + PauseAfterNotSent(probing, policy), InFlight: null),
                Since = probing.LastError is null ? state.Now : probing.Since,
            }),
            // After a failed gate it starts over with the startup probe: the process may just have died.
            ProbeResult.Failed failed => state.With(slot, probing with
            {
                Stage = ProbeKind.Startup,
                Probe = retry,
                LastError = failed.Error,
                LastHttpStatus = failed.HttpStatus,
                UnderPressure = probing.UnderPressure || failed.UnderPressure,
                Session = null,
            }),
            ProbeResult.SessionFailed failed when !GateSession.ServesAnyway(state, probing.Container.Image) =>
                state.With(slot, GateSession.Fail(state, probing, failed, policy)),
            ProbeResult.SessionFailed failed => Ready(
                GateSession.FailProven(state, probing.Container, failed.Error, policy),
                slot, probing, SessionReading.NotRun, failed.Error, retry, policy),
            _ when probing.Stage == ProbeKind.Startup && policy.HasGate =>
                state.With(slot, probing with { Stage = ProbeKind.Gate, Probe = new ProbeSchedule(state.Now, InFlight: null) }),
            ProbeResult.Passed passed => Ready(state, slot, probing, passed.Session, sessionError: null, retry, policy),
            _ => state,
        };
    }

    private static TimeSpan PauseAfterNotSent(ContainerState.Probing probing, Policy policy) =>
        probing.Stage == ProbeKind.Gate && policy.StartupInterval < GateSession.MinPause ? GateSession.MinPause : policy.StartupInterval;

    private static AgentState Ready(
        AgentState state,
        Slot slot,
        ContainerState.Probing probing,
        SessionReading session,
        string? sessionError,
        ProbeSchedule retry,
        Policy policy)
    {
        state = state.WithPassedGate(probing.Container);
        var firstLiveness = new ProbeSchedule(state.Now + policy.LivenessInterval, InFlight: null);
        var serving = new ContainerState.Serving(probing.Container, state.Now, 0, firstLiveness, null, Adopted: probing.Adopted)
        {
            Session = session,
            SessionError = sessionError,
        };
        return (slot, state.Front) switch
        {
            (Slot.Front, _) => state with { Front = serving },
            (_, ContainerState.Serving old) => Swap(state, serving, old),
            // The container in front is just ending. The candidate takes its slot in a moment, and is probed again there.
            _ => state.With(slot, probing with { Stage = ProbeKind.Startup, Probe = retry }),
        };
    }

    /// <summary>New requests go to the new container from this moment on. The old one finishes its own.</summary>
    private static AgentState Swap(AgentState state, ContainerState.Serving next, ContainerState.Serving old) => state with
    {
        Front = next,
        Candidate = new ContainerState.Draining(OperationNumber.NotDispatched, old.Container),
        Images = state.Images with { LastRun = next.Container.Image ?? state.Images.LastRun },
        Failures = state.Failures with { OfCandidate = 0, Crashes = 0 },
    };

    private static ContainerState.Serving ApplyWhileServing(
        AgentState state,
        ContainerState.Serving serving,
        ProbeResult result,
        Policy policy)
    {
        var failures = result switch
        {
            ProbeResult.NotSent => serving.Failures,
            ProbeResult.Failed => serving.Failures + 1,
            _ => 0,
        };
        var next = new ProbeSchedule(state.Now + LivenessInterval(failures, policy), InFlight: null);
        return result switch
        {
            ProbeResult.NotSent => serving with { Probe = next },
            ProbeResult.Failed failed => serving with
            {
                Failures = failures,
                FailingSince = serving.FailingSince ?? state.Now,
                UnreadySince = failures < UnreadyFailures ? null : serving.UnreadySince ?? state.Now,
                Probe = next,
                LastError = failed.Error,
                UnderPressure = serving.UnderPressure || failed.UnderPressure,
            },
            _ => serving with
            {
                Failures = 0,
                FailingSince = null,
                UnreadySince = null,
                Probe = next,
                LastError = null,
                UnderPressure = false,
            },
        };
    }
}
