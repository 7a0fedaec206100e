using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What a probe's answer means for the container that was asked, in either place.</summary>
internal static class Probing
{
    private static readonly TimeSpan FirstStartupInterval = TimeSpan.FromMilliseconds(100);

    public static AgentState Apply(AgentState state, Event.Probed probed, Policy policy) =>
        InFlight(state.Front) == probed.Operation ? ApplyResult(state, Slot.Front, state.Front, probed.Result, policy)
        : state.Candidate is { } beside && InFlight(beside) == probed.Operation ? ApplyResult(state, Slot.Candidate, beside, probed.Result, policy)
        : state;

    /// <summary>So many failures in a row end its life: twice as many while the machine itself was short, for then a slow app is no sick app.</summary>
    public static int FailureThreshold(ContainerState.Serving serving, Policy policy) => serving.UnderPressure ? 2 * policy.LivenessFailures : policy.LivenessFailures;

    /// <summary>When it must be well, by the same measure.</summary>
    public static Moment Deadline(ContainerState.Probing probing, Policy policy) => probing.Since + (probing.UnderPressure ? 2 * policy.StartupDeadline : policy.StartupDeadline);

    private static long? InFlight(ContainerState app) => app switch
    {
        ContainerState.Probing p => p.Probe.InFlight,
        ContainerState.Serving v => v.Probe.InFlight,
        _ => null,
    };

    private static AgentState ApplyResult(AgentState state, Slot slot, ContainerState app, ProbeResult result, Policy policy) => app switch
    {
        ContainerState.Probing p => ApplyWhileProbing(state, slot, p, result, policy),
        ContainerState.Serving v => state.With(slot, ApplyWhileServing(state, v, result, policy)),
        _ => state,
    };

    private static AgentState ApplyWhileProbing(AgentState state, Slot slot, ContainerState.Probing probing, ProbeResult result, Policy policy)
    {
        // Asked often at first, so that a quick app is not kept waiting, and at the configured pace from then on.
        var delay = TimeSpan.FromTicks(Math.Min(policy.StartupInterval.Ticks, Math.Max((state.Now - probing.Since).Ticks, FirstStartupInterval.Ticks)));
        var retry = new ProbeSchedule(state.Now + delay, null);
        return result switch
        {
            // As long as nothing at all could be asked, its time has not begun: it may be well.
            ProbeResult.NotSent => state.With(slot, probing with { Probe = new ProbeSchedule(state.Now + policy.StartupInterval, null), Since = probing.LastError is null ? state.Now : probing.Since }),
            // A failed gate begins anew with the startup probe: what failed there may be a process that just died.
            ProbeResult.Failed failed => state.With(slot, probing with { Stage = ProbeKind.Startup, Probe = retry, LastError = failed.Error, UnderPressure = probing.UnderPressure || failed.UnderPressure }),
            _ when probing.Stage == ProbeKind.Startup && policy.HasGate => state.With(slot, probing with { Stage = ProbeKind.Gate, Probe = new ProbeSchedule(state.Now, null) }),
            _ => Passed(state, slot, probing, retry, policy),
        };
    }

    private static AgentState Passed(AgentState state, Slot slot, ContainerState.Probing probing, ProbeSchedule retry, Policy policy)
    {
        var serving = new ContainerState.Serving(probing.Container, state.Now, 0, new ProbeSchedule(state.Now + policy.LivenessInterval, null), null, Adopted: probing.Adopted);
        return (slot, state.Front) switch
        {
            (Slot.Front, _) => state with { Front = serving },
            // The swap: new visitors come to the new one from this moment on.
            (_, ContainerState.Serving old) => state with
            {
                Front = serving,
                Candidate = new ContainerState.Draining(Operation.NotDispatched, old.Container),
                Images = state.Images with { LastRun = probing.Container.Image ?? state.Images.LastRun },
                Failures = state.Failures with
                {
                    OfCandidate = 0,
                    Crashes = 0,
                },
            },
            // The one in front is just ending: the candidate takes its place in a moment, and is asked again there.
            _ => state.With(slot, probing with { Stage = ProbeKind.Startup, Probe = retry }),
        };
    }

    private static ContainerState.Serving ApplyWhileServing(AgentState state, ContainerState.Serving serving, ProbeResult result, Policy policy)
    {
        var next = new ProbeSchedule(state.Now + policy.LivenessInterval, null);
        return result switch
        {
            ProbeResult.NotSent => serving with { Probe = next },
            ProbeResult.Failed failed => serving with
            {
                Failures = serving.Failures + 1,
                Probe = next,
                LastError = failed.Error,
                UnderPressure = serving.UnderPressure || failed.UnderPressure,
            },
            _ => serving with { Failures = 0, Probe = next, LastError = null, UnderPressure = false },
        };
    }
}
