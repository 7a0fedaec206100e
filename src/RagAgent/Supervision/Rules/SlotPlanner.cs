using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Decides what happens in the two slots: start, probe, stop, swap.</summary>
internal static class SlotPlanner
{
    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        state = PlanFront(state, policy);
        state = PlanCandidate(state, policy);
        state = Dispatch(state, Slot.Front, policy, effects);
        return Dispatch(state, Slot.Candidate, policy, effects);
    }

    private static AgentState PlanFront(AgentState state, Policy policy)
    {
        if (state.Front is ContainerState.BackingOff backingOff && (state.Now >= backingOff.Until || state.Hold is not null))
        {
            state = state with { Front = new ContainerState.Absent() };
        }
        if (state is
            {
                Front: ContainerState.Absent or ContainerState.BackingOff,
                Hold: null,
                Candidate: ContainerState.Starting or ContainerState.Probing,
            })
        {
            // The container in front is gone, and the candidate takes its slot.
            state = state with { Front = state.Candidate, Candidate = null, Failures = state.Failures with { OfCandidate = 0 } };
        }
        if (state is { Front: ContainerState.Absent, Candidate: ContainerState.BackingOff })
        {
            // Nothing serves: the next container starts in front, with the backoff of the front.
            state = state with { Candidate = null };
        }
        return state.Front switch
        {
            // An inspection that is wanted or in progress comes first: it may find a running container.
            ContainerState.Absent when state is { Candidate: null, Engine.State: FetchState.Idle } => StartDesired(state, policy),
            ContainerState.Probing or ContainerState.Serving when !state.EngineIsReachable => state,
            ContainerState.Probing or ContainerState.Serving when state.Hold is not null =>
                Stop(state, Slot.Front, new StopReason.Requested()),
            ContainerState.Probing probing => PlanProbingFront(state, probing, policy),
            ContainerState.Serving serving => PlanServingFront(state, serving, policy),
            _ => state,
        };
    }

    private static AgentState StartDesired(AgentState state, Policy policy) =>
        DesiredRelease.Startable(state, policy) is { } release ? Start(state, Slot.Front, release) : state;

    private static AgentState PlanProbingFront(AgentState state, ContainerState.Probing probing, Policy policy)
    {
        if (DesiredRelease.MustYield(state, probing, policy))
        {
            return Stop(state, Slot.Front, new StopReason.Replaced());
        }
        return StopIfNotReady(state, Slot.Front, probing, policy);
    }

    private static AgentState PlanServingFront(AgentState state, ContainerState.Serving serving, Policy policy)
    {
        if (Probing.IsUnhealthy(serving, state.Now, policy))
        {
            var lastFailedAt = serving.Probe.NextAt - Probing.LivenessInterval(serving.Failures, policy);
            return state.OnceReinspected(lastFailedAt, () => StopUnhealthy(state, serving, policy));
        }
        if (!DesiredRelease.CanRunSideBySide(serving.Container, policy) && DesiredRelease.MustYield(state, serving, policy))
        {
            var next = DesiredRelease.Of(state, policy)?.Image;
            return Stop(ImageTrial.KeepOutgoingAsGood(state, serving.Container.Image, next), Slot.Front, new StopReason.Replaced());
        }
        return state;
    }

    private static AgentState PlanCandidate(AgentState state, Policy policy) => state.Candidate switch
    {
        // Whatever happens meanwhile: the backoff keeps a failing candidate from being started again and again.
        ContainerState.BackingOff backingOff when state.Now < backingOff.Until && state.Hold is null => state,
        null or ContainerState.BackingOff => StartCandidate(state, policy),
        ContainerState.Probing or ContainerState.Draining when !state.EngineIsReachable => state,
        ContainerState.Probing or ContainerState.Draining when state.Hold is not null =>
            Stop(state, Slot.Candidate, new StopReason.Requested()),
        ContainerState.Probing probing => PlanProbingCandidate(state, probing, policy),
        ContainerState.Draining when state.Front is not ContainerState.Serving => Stop(state, Slot.Candidate, new StopReason.Retired()),
        _ => state,
    };

    private static AgentState StartCandidate(AgentState state, Policy policy)
    {
        var isWanted = state is { EngineIsReachable: true, Hold: null, Front: ContainerState.Serving { Failures: 0 } serving } &&
            DesiredRelease.CanRunSideBySide(serving.Container, policy) && DesiredRelease.MustYield(state, serving, policy);
        var next = isWanted ? DesiredRelease.Of(state, policy) : null;
        if (next is null || state.IsDefective(next.Image))
        {
            return state.Candidate is null ? state : state with { Candidate = null };
        }
        // As in front, an inspection that is wanted or in progress comes first.
        return state.Engine.State is FetchState.Idle
            ? Start(ImageTrial.KeepOutgoingAsGood(state, state.Front.Current?.Image, next.Image), Slot.Candidate, next)
            : state;
    }

    private static AgentState PlanProbingCandidate(AgentState state, ContainerState.Probing probing, Policy policy)
    {
        var isObsolete = DesiredRelease.Of(state, policy) is { } desired &&
            (desired.Id != probing.Container.ReleaseId || desired.Id == state.Front.Current?.ReleaseId);
        return isObsolete
            ? Stop(state, Slot.Candidate, new StopReason.Replaced())
            : StopIfNotReady(state, Slot.Candidate, probing, policy);
    }

    /// <summary>Begins what was decided for a slot, under the next operation number.</summary>
    private static AgentState Dispatch(AgentState state, Slot slot, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (state.At(slot) is ContainerState.Stopping { Operation: OperationNumber.NotDispatched, Container: { IsAlive: true } ending })
        {
            state = state.WithStopRequested(ending, isRequested: true);
            if (MustPersistFirst(state, ending))
            {
                return state;
            }
        }
        var number = state.LastOperation + 1;
        var other = state.At(slot == Slot.Front ? Slot.Candidate : Slot.Front)?.Current;
        (ContainerState Next, Effect Effect)? dispatched = state.At(slot) switch
        {
            ContainerState.Starting { Operation: OperationNumber.NotDispatched } starting => (
                starting with { Operation = number },
                StartEffect(state, number, starting.Release, other)),
            ContainerState.Stopping { Operation: OperationNumber.NotDispatched } stopping => (
                stopping with { Operation = number },
                new Effect.StopContainer(number, stopping.Container, other, MayFinishRequests(stopping.Reason))),
            ContainerState.Draining { Operation: OperationNumber.NotDispatched } draining => (
                draining with { Operation = number },
                new Effect.Drain(number, draining.Container)),
            ContainerState.Probing { Probe.InFlight: null } probing when state.Now >= probing.Probe.NextAt => (
                probing with { Probe = probing.Probe with { InFlight = number } },
                new Effect.Probe(number, probing.Stage, probing.Container, SessionLimit(state, probing, policy))),
            ContainerState.Serving { Probe.InFlight: null } serving when state.Now >= serving.Probe.NextAt => (
                serving with { Probe = serving.Probe with { InFlight = number } },
                new Effect.Probe(number, ProbeKind.Liveness, serving.Container)),
            _ => null,
        };
        if (dispatched is not { } step)
        {
            return state;
        }
        effects.Add(step.Effect);
        return (state with { LastOperation = number }).With(slot, step.Next);
    }

    private static TimeSpan? SessionLimit(AgentState state, ContainerState.Probing probing, Policy policy) =>
        probing.Stage == ProbeKind.Gate ? GateSession.Limit(state, probing, policy) : null;

    /// <summary>A container that was healthy until now may answer its in-flight requests.</summary>
    private static bool MayFinishRequests(StopReason reason) => reason is StopReason.Replaced or StopReason.Requested;

    private static Effect.StartContainer StartEffect(AgentState state, long number, Release release, Container? neighbor)
    {
        var lastGood = state.Images.KnownGood.FirstOrDefault(good => !ImageTrial.IsAvoided(state, good));
        var avoided = state.Images.Verdict is { IsAvoided: true } verdict ? verdict.Image : null;
        return new Effect.StartContainer(number, release, neighbor, lastGood, avoided);
    }

    /// <summary>
    /// The state file must say that the agent asked for this stop. Otherwise the next agent would take it for someone else's.
    /// If the file can't be written, the stop does not wait for it.
    /// </summary>
    private static bool MustPersistFirst(AgentState state, Container ending) =>
        state.RunOf(ending) is { } run && Housekeeping.MustPersist(state) &&
        state.Saved.Problem is null && state.Saved.Value?.Runs.Contains(run) != true;

    private static AgentState Start(AgentState state, Slot slot, Release release) =>
        ImageTrial.Begin(state, release.Image).With(slot, new ContainerState.Starting(OperationNumber.NotDispatched, release, state.Now));

    private static AgentState Stop(AgentState state, Slot slot, StopReason reason) => state.At(slot)?.Current is { } container
        ? state.With(slot, new ContainerState.Stopping(OperationNumber.NotDispatched, container, reason))
        : state;

    private static AgentState StopIfNotReady(AgentState state, Slot slot, ContainerState.Probing probing, Policy policy)
    {
        if (GateSession.IsRefused(state, probing))
        {
            return Strike(Stop(state, slot, new StopReason.SessionFailed(probing.Session!.Error)), probing.Container, slot, policy);
        }
        if (Probing.Deadline(state, probing, policy) is not { } deadline || state.Now < deadline)
        {
            return state;
        }
        var reason = new StopReason.NeverHealthy(deadline - probing.Since, probing.LastError) { HttpStatus = probing.LastHttpStatus };
        return state.OnceReinspected(deadline, () => Strike(Stop(state, slot, reason), probing.Container, slot, policy));
    }

    private static AgentState StopUnhealthy(AgentState state, ContainerState.Serving serving, Policy policy)
    {
        var reason = new StopReason.Unhealthy(serving.Failures, serving.LastError ?? "no answer");
        return Strike(Stop(state, Slot.Front, reason), serving.Container, Slot.Front, policy);
    }

    /// <summary>Counts the strike when the stop is decided, so that it is not lost if the agent crashes during the stop.</summary>
    private static AgentState Strike(AgentState state, Container container, Slot slot, Policy policy)
    {
        // A paused container can't answer, which is not the image's fault.
        var isPaused = container.Status is ContainerStatus.Paused;
        return !isPaused && state.At(slot) is ContainerState.Stopping stopping && ContainerProblems.OfStop(stopping) is { } problem
            ? FailureHandling.Strike(state, container.Image, problem, policy)
            : state;
    }
}
