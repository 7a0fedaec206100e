using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Compares what the engine shows with what the agent believes. The engine is right.</summary>
internal static class Inspection
{
    /// <param name="state">The state before the inspection. <see cref="AttributionEvidence.EngineDisconnected"/> is still as it was.</param>
    /// <param name="inventory">What the engine shows.</param>
    /// <param name="afterTrouble">Since the last inspection the engine was away, or failed to answer.</param>
    /// <param name="policy">The policy.</param>
    public static AgentState Apply(AgentState state, Inventory inventory, bool afterTrouble, Policy policy)
    {
        state = ForgetSolvedDefects(state, inventory);
        if (state.Images.LastRun is null)
        {
            state = state with { Images = state.Images with { LastRun = Newest(inventory)?.Image } };
        }
        if (state.Evidence.LastEnd is { } end && Find(inventory, end.Container) is { IsAlive: true })
        {
            // It runs again. Who ended it does not matter any more.
            state = WithoutLastEnd(state);
        }
        state = state.HasNoHistory ? Recall(state, inventory) : state;
        if (afterTrouble)
        {
            state = state with
            {
                Front = ProbeAgain(state.Front, state.Now, policy),
                Candidate = state.Candidate is { } candidate ? ProbeAgain(candidate, state.Now, policy) : null,
            };
        }
        state = CompareCandidate(state, inventory, policy);
        state = CompareFront(state, inventory, policy);
        // During an operation the engine may show a half-done change. Its end leads to another inspection.
        var operationIsRunning = state.Front is ContainerState.Starting or ContainerState.Stopping ||
            state.Candidate is ContainerState.Starting or ContainerState.Stopping;
        return operationIsRunning ? state : HandleStrays(state, inventory, policy);
    }

    /// <summary>
    /// An image that was missing may be back on disk. Whether the layers of one that is there are intact can't be seen here.
    /// </summary>
    private static AgentState ForgetSolvedDefects(AgentState state, Inventory inventory)
    {
        if (inventory.Images is not { } onDisk)
        {
            return state;
        }
        var defects = state.Images.Defects.RemoveAll(defect => !defect.IsCorrupt && onDisk.Contains(defect.Image.ToString()));
        return state with { Images = state.Images with { Defects = defects } };
    }

    /// <summary>
    /// Requests reach the app through the engine, whose process holds the port. Probes that failed while the engine was away say nothing
    /// about the app, so it gets one more probe before anything is concluded.
    /// </summary>
    private static ContainerState ProbeAgain(ContainerState slot, Moment now, Policy policy) => slot switch
    {
        ContainerState.Serving { Failures: > 0, Probe.InFlight: null } serving => serving with
        {
            Failures = Math.Min(serving.Failures, policy.LivenessFailures - 1),
            Probe = new ProbeSchedule(now, null),
        },
        // The probe in flight was sent before the engine came back: it must not be the deciding one.
        ContainerState.Serving { Failures: > 0 } serving => serving with
        {
            Failures = Math.Max(0, Math.Min(serving.Failures, policy.LivenessFailures - 2)),
        },
        ContainerState.Probing probing when now >= probing.Since + policy.StartupDeadline => probing with { Since = now },
        _ => slot,
    };

    /// <summary>Without a state file, the labels of the newest container tell what the agent knew when it created that container.</summary>
    private static AgentState Recall(AgentState state, Inventory inventory)
    {
        var newest = Newest(inventory);
        var verdict = state.Images.Verdict;
        if (newest is { LastGood: { } lastGood, Avoided: { } avoided } && lastGood != avoided &&
            (state.Tag.Value is null || state.Tag.Value.Image == avoided))
        {
            verdict = new Verdict.Quarantined(avoided, ContainerProblems.FailedBefore(avoided));
        }
        return state with
        {
            HasNoHistory = false,
            Images = state.Images with
            {
                KnownGood = newest?.LastGood is { } good ? [good] : state.Images.KnownGood,
                Verdict = verdict,
            },
        };
    }

    private static AgentState CompareFront(AgentState state, Inventory inventory, Policy policy) => state.Front switch
    {
        ContainerState.Starting or ContainerState.Stopping => state,
        ContainerState.Probing probing => CompareFront(state, probing.Container, TimeSpan.Zero, inventory, policy),
        ContainerState.Serving serving => CompareFront(state, serving.Container, state.Now - serving.Since, inventory, policy),
        _ => AdoptFront(state, inventory, policy),
    };

    private static AgentState CompareFront(AgentState state, Container known, TimeSpan ranFor, Inventory inventory, Policy policy)
    {
        var seen = Find(inventory, known);
        if (seen is { IsAlive: true })
        {
            return seen.StartedAt == known.StartedAt
                ? Update(state, Slot.Front, seen)
                : Stop(state, Slot.Front, seen, new StopReason.RestartedByOther());
        }
        if (state.RunOf(known) is { StopRequested: true })
        {
            // The agent's own stop, whose end it did not see: the agent ended before, or gave up waiting.
            return AdoptFront(state with { Front = new ContainerState.Absent() }, inventory, policy);
        }
        var failure = Ended(state, Slot.Front, known, seen, policy);
        var isExternal = state.Evidence.ExternalStop == known.Id && !state.Evidence.EngineDisconnected && seen is not null;
        if (!state.Evidence.EngineDisconnected && seen is not null)
        {
            state = FailureAttribution.RecordEnd(state, seen, failure, isExternal);
        }
        state = isExternal
            ? FailureAttribution.HoldByDockerStop(state with
            {
                Front = new ContainerState.Absent(),
                Evidence = state.Evidence with { ExternalStop = null },
            })
            : FailureHandling.FrontFailed(state, known, failure, ranFor, policy);
        return AdoptFront(state, inventory, policy);
    }

    private static AgentState CompareCandidate(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is not (ContainerState.Probing or ContainerState.Draining) || state.Candidate.Current is not { } known)
        {
            return state;
        }
        var seen = Find(inventory, known);
        return seen switch
        {
            { IsAlive: true } when seen.StartedAt != known.StartedAt =>
                Stop(state, Slot.Candidate, seen, new StopReason.RestartedByOther()),
            { IsAlive: true } => Update(state, Slot.Candidate, seen),
            _ when state.Candidate is ContainerState.Draining || state.RunOf(known) is { StopRequested: true } =>
                state with { Candidate = null },
            _ => FailureHandling.CandidateFailed(state, known, Ended(state, Slot.Candidate, known, seen, policy), policy),
        };
    }

    private static Failure Ended(AgentState state, Slot slot, Container known, Container? seen, Policy policy)
    {
        var isInSession = state.At(slot) is ContainerState.Probing probing && GateSession.Involves(state, probing, policy);
        var problem = seen switch
        {
            { Exit: { } exit, Status: not ContainerStatus.Removing } when state.Evidence.EngineDisconnected =>
                ContainerProblems.EndedWithEngine(seen, exit),
            // Out of memory, a larger machine may help.
            { Exit: { OutOfMemory: false } exit, Status: not ContainerStatus.Removing } when isInSession =>
                ContainerProblems.ExitedInSession(seen, exit),
            { Exit: { } exit, Status: not ContainerStatus.Removing } => ContainerProblems.Exited(seen, exit),
            _ => ContainerProblems.Removed(known),
        };
        return new Failure(state.Now, known.ReleaseId, problem, seen?.Exit);
    }

    /// <summary>A container that already runs is adopted as it is. Whether it has the right release is for the planner to decide.</summary>
    private static AgentState AdoptFront(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is ContainerState.Starting)
        {
            return state;   // a living container may be the one that is being started; its ContainerStarted event will tell
        }
        // One that the engine may be stopping comes last.
        var alive = inventory.Containers.Where(container => container.IsAlive && container.Id != state.Candidate?.Current?.Id)
            .OrderBy(container => state.RunOf(container) is { StopRequested: true });
        // Where two may run, clients know the older one. The newer one has to pass its gate first.
        alive = policy.StartFirst
            ? alive.ThenBy(container => container.StartedAt, StringComparer.Ordinal)
            : alive.ThenByDescending(container => container.StartedAt, StringComparer.Ordinal);
        if (alive.FirstOrDefault() is not { } found)
        {
            return state.Front is ContainerState.Unknown ? state with { Front = new ContainerState.Absent() } : state;
        }
        // It runs, so nobody wants it to stay stopped by Docker.
        state = state with { Hold = state.Hold == StopHold.DockerStop ? null : state.Hold };
        return IsRunOfOther(state, found)
            ? Stop(state, Slot.Front, found, new StopReason.RestartedByOther())
            : Adopt(state with { Images = state.Images with { LastRun = found.Image ?? state.Images.LastRun } }, Slot.Front, found);
    }

    /// <summary>
    /// Handles another container of ours. If alive, it is adopted as the candidate or stopped as one writer too many. If it has ended, it
    /// still occupies a name and an image, and is removed.
    /// </summary>
    private static AgentState HandleStrays(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is not (null or ContainerState.BackingOff) || state.Front.Current is not { } front)
        {
            return state;
        }
        if (inventory.Containers.FirstOrDefault(container => container.IsAlive && container.Id != front.Id) is not { } other)
        {
            var ended = inventory.Containers
                .FirstOrDefault(container => !container.IsAlive && container.Status is not ContainerStatus.Removing);
            return state.Candidate is null && ended is not null ? Stop(state, Slot.Candidate, ended, new StopReason.LeftOver()) : state;
        }
        if (IsRunOfOther(state, other))
        {
            return Stop(state, Slot.Candidate, other, new StopReason.RestartedByOther());
        }
        return CanBeCandidate(other, front, policy)
            ? Adopt(state, Slot.Candidate, other)
            : Stop(state, Slot.Candidate, other, new StopReason.Stray());
    }

    /// <summary>A candidate is the newer one. An older one was replaced, and its stop failed.</summary>
    private static bool CanBeCandidate(Container other, Container front, Policy policy) =>
        policy.StartFirst && string.CompareOrdinal(other.StartedAt, front.StartedAt) > 0 &&
        other.ReleaseId != front.ReleaseId && other.Status == ContainerStatus.Running &&
        other.ConfigFingerprint == policy.ConfigFingerprint && front.ConfigFingerprint == policy.ConfigFingerprint;

    /// <summary>Someone else restarted the container after a run of ours. It lacks its secrets, which only the agent hands over.</summary>
    private static bool IsRunOfOther(AgentState state, Container seen) =>
        state.Evidence.Runs.Any(run => run.ContainerId == seen.Id && run.StartedAt != seen.StartedAt);

    private static AgentState Adopt(AgentState state, Slot slot, Container container) =>
        ImageTrial.Begin(state.WithRun(container), container.Image)
            .With(slot, ContainerState.Probing.Begin(container, state.Now, adopted: true));

    /// <summary>Takes over what can change while a container runs: someone paused it, or it was renamed.</summary>
    private static AgentState Update(AgentState state, Slot slot, Container seen) => state.At(slot) switch
    {
        ContainerState.Probing probing when HasChanged(probing.Container, seen) => state.With(slot, probing with { Container = seen }),
        ContainerState.Serving serving when HasChanged(serving.Container, seen) => state.With(slot, serving with { Container = seen }),
        _ => state,
    };

    private static bool HasChanged(Container known, Container seen) => known.Status != seen.Status || known.Name != seen.Name;

    private static AgentState Stop(AgentState state, Slot slot, Container container, StopReason reason)
    {
        // A stop that the engine reports from now on is the agent's own.
        state = state.Evidence.LastEnd?.Container.Id == container.Id ? WithoutLastEnd(state) : state;
        return state.With(slot, new ContainerState.Stopping(OperationNumber.NotDispatched, container, reason));
    }

    private static AgentState WithoutLastEnd(AgentState state) => state with { Evidence = state.Evidence with { LastEnd = null } };

    private static Container? Find(Inventory inventory, Container known) =>
        inventory.Containers.FirstOrDefault(container => container.Id == known.Id);

    private static Container? Newest(Inventory inventory) => inventory.Containers.Where(container => container.Image is not null)
        .OrderByDescending(container => container.IsAlive)
        .ThenByDescending(container => container.StartedAt, StringComparer.Ordinal)
        .FirstOrDefault();
}
