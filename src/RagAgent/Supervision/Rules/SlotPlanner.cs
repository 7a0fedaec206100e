using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Decides what happens in the two places for a container: start, probe, stop, swap.</summary>
internal static class SlotPlanner
{
    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        state = PlanFront(state, policy);
        state = PlanCandidate(state, policy);
        state = Dispatch(state, Slot.Front, effects);
        return Dispatch(state, Slot.Candidate, effects);
    }

    private static AgentState PlanFront(AgentState state, Policy policy)
    {
        if (state.Front is ContainerState.BackingOff waiting && (state.Now >= waiting.Until || state.Hold is not null))
        {
            state = state with { Front = new ContainerState.Absent() };
        }
        if (state is { Front: ContainerState.Absent or ContainerState.BackingOff, Hold: null, Candidate: ContainerState.Starting or ContainerState.Probing })
        {
            // The one in front is gone, and the next one is on its way already.
            state = state with { Front = state.Candidate, Candidate = null, Failures = state.Failures with { OfCandidate = 0 } };
        }
        if (state is { Front: ContainerState.Absent, Candidate: ContainerState.BackingOff })
        {
            // Nothing serves: what comes next is started in front, by the delays of the front.
            state = state with { Candidate = null };
        }
        return state.Front switch
        {
            // A look at the engine that is wanted or under way comes first: it may show one that is alive.
            ContainerState.Absent when state is { Candidate: null, Engine.State: FetchState.Idle } && DesiredRelease.Startable(state, policy) is { } release => Start(state, Slot.Front, release),
            ContainerState.Probing or ContainerState.Serving when state is { EngineIsReachable: true, Hold: not null } => Stop(state, Slot.Front, new StopReason.Requested()),
            ContainerState.Probing p when state.EngineIsReachable && DesiredRelease.MustYield(state, p, policy) => Stop(state, Slot.Front, new StopReason.Replaced()),
            ContainerState.Probing p when state.EngineIsReachable && state.Now >= Probing.Deadline(p, policy) => state.OnceReinspected(Probing.Deadline(p, policy), () => NeverHealthy(state, Slot.Front, p, policy)),
            ContainerState.Serving v when state.EngineIsReachable && v.Failures >= Probing.FailureThreshold(v, policy) => state.OnceReinspected(v.Probe.NextAt - policy.LivenessInterval, () => Unhealthy(state, v, policy)),
            ContainerState.Serving serving when state.EngineIsReachable && !DesiredRelease.CanRunSideBySide(serving.Container, policy) && DesiredRelease.MustYield(state, serving, policy) =>
                Stop(Rollout.KeepOutgoingAsGood(state, serving.Container.Image, DesiredRelease.Of(state, policy)?.Image), Slot.Front, new StopReason.Replaced()),
            _ => state,
        };
    }

    private static AgentState PlanCandidate(AgentState state, Policy policy)
    {
        switch (state.Candidate)
        {
            case ContainerState.BackingOff waiting when state.Now < waiting.Until && state.Hold is null:
                return state;   // whatever it waits for: the delay is what keeps a failing candidate from a storm
            case null or ContainerState.BackingOff:
                var next = state is { EngineIsReachable: true, Hold: null, Front: ContainerState.Serving { Failures: 0 } serving } && DesiredRelease.CanRunSideBySide(serving.Container, policy) && DesiredRelease.MustYield(state, serving, policy)
                    ? DesiredRelease.Of(state, policy) : null;
                if (next is null || state.IsDefective(next.Image))
                {
                    return state.Candidate is null ? state : state with { Candidate = null };
                }
                // As in front, a look at the engine that is wanted or under way comes first.
                return state.Engine.State is FetchState.Idle ? Start(Rollout.KeepOutgoingAsGood(state, state.Front.Current?.Image, next.Image), Slot.Candidate, next) : state;
            case ContainerState.Probing or ContainerState.Draining when state is { EngineIsReachable: true, Hold: not null }:
                return Stop(state, Slot.Candidate, new StopReason.Requested());
            case ContainerState.Probing probing when state.EngineIsReachable && DesiredRelease.Of(state, policy) is { } desired && (desired.Id != probing.Container.ReleaseId || desired.Id == state.Front.Current?.ReleaseId):
                return Stop(state, Slot.Candidate, new StopReason.Replaced());
            case ContainerState.Probing probing when state.EngineIsReachable && state.Now >= Probing.Deadline(probing, policy):
                return state.OnceReinspected(Probing.Deadline(probing, policy), () => NeverHealthy(state, Slot.Candidate, probing, policy));
            case ContainerState.Draining when state.EngineIsReachable && state.Front is not ContainerState.Serving:
                return Stop(state, Slot.Candidate, new StopReason.Retired());
            default:
                return state;
        }
    }

    /// <summary>Gives a number to what was decided, and begins it.</summary>
    private static AgentState Dispatch(AgentState state, Slot slot, ImmutableArray<Effect>.Builder effects)
    {
        var number = state.LastOperation + 1;
        if (state.At(slot) is ContainerState.Stopping { Operation: Operation.NotDispatched, Container: { IsAlive: true } ending })
        {
            state = state.WithStopRequested(ending, isRequested: true);
            if (MustPersistFirst(state, ending))
            {
                return state;
            }
        }
        var other = state.At(slot == Slot.Front ? Slot.Candidate : Slot.Front)?.Current;
        (ContainerState Next, Effect Begun)? step = state.At(slot) switch
        {
            ContainerState.Starting { Operation: Operation.NotDispatched } starting =>
                (starting with { Operation = number }, new Effect.StartContainer(number, starting.Release, other, state.Images.KnownGood.FirstOrDefault(good => !Rollout.IsAvoided(state, good)), state.Images.Verdict is { IsAvoided: true } verdict ? verdict.Image : null)),
            ContainerState.Stopping { Operation: Operation.NotDispatched } x => (x with { Operation = number }, new Effect.StopContainer(number, x.Container, other, x.Reason is StopReason.Replaced or StopReason.Requested)),
            ContainerState.Draining { Operation: Operation.NotDispatched } x => (x with { Operation = number }, new Effect.Drain(number, x.Container)),
            ContainerState.Probing { Probe.InFlight: null } probing when state.Now >= probing.Probe.NextAt =>
                (probing with { Probe = probing.Probe with { InFlight = number } }, new Effect.Probe(number, probing.Stage, probing.Container)),
            ContainerState.Serving { Probe.InFlight: null } serving when state.Now >= serving.Probe.NextAt =>
                (serving with { Probe = serving.Probe with { InFlight = number } }, new Effect.Probe(number, ProbeKind.Liveness, serving.Container)),
            _ => null,
        };
        if (step is not { } begun)
        {
            return state;
        }
        effects.Add(begun.Begun);
        return (state with { LastOperation = number }).With(slot, begun.Next);
    }

    /// <summary>A stop that was asked for and not written down would be a stranger's to the agent's next life. Where notes can't be written, it is not waited for.</summary>
    private static bool MustPersistFirst(AgentState state, Container ending) =>
        state.RunOf(ending) is { } run && Housekeeping.MustPersist(state) && state.Saved.Problem is null && state.Saved.Value?.Runs.Contains(run) != true;

    private static AgentState Start(AgentState state, Slot slot, Release release) =>
        Rollout.Begin(state, release.Image).With(slot, new ContainerState.Starting(Operation.NotDispatched, release, state.Now));

    private static AgentState Stop(AgentState state, Slot slot, StopReason reason) =>
        state.At(slot)?.Current is { } container ? state.With(slot, new ContainerState.Stopping(Operation.NotDispatched, container, reason)) : state;

    /// <summary>The strike counts from the decision on: a crash of the agent in the middle of the stop does not lose it.</summary>
    private static AgentState NeverHealthy(AgentState state, Slot slot, ContainerState.Probing probing, Policy policy)
    {
        var stopped = Stop(state, slot, new StopReason.NeverHealthy(Probing.Deadline(probing, policy) - probing.Since, probing.LastError));
        return Strike(stopped, probing.Container, slot, policy);
    }

    private static AgentState Unhealthy(AgentState state, ContainerState.Serving serving, Policy policy)
    {
        var stopped = Stop(state, Slot.Front, new StopReason.Unhealthy(serving.Failures, serving.LastError ?? "no answer"));
        return Strike(stopped, serving.Container, Slot.Front, policy);
    }

    private static AgentState Strike(AgentState state, Container container, Slot slot, Policy policy) =>
        // One that somebody paused can't answer; that is not the image's doing.
        container.Status is not ContainerStatus.Paused && state.At(slot) is ContainerState.Stopping stopping && ContainerProblems.OfStop(stopping) is { } problem ? FailureHandling.Strike(state, container.Image, problem, policy) : state;
}
