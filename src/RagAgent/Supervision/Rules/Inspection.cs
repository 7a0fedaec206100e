using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What the engine shows, held against what the agent thinks. The engine is right.</summary>
internal static class Inspection
{
    /// <param name="state">What was known; that the engine broke still stands in it.</param>
    /// <param name="inventory">What the engine shows.</param>
    /// <param name="afterTrouble">The engine was away, or did not do what it was asked, since it was last looked at.</param>
    /// <param name="policy">The numbers.</param>
    public static AgentState Apply(AgentState state, Inventory inventory, bool afterTrouble, Policy policy)
    {
        // What somebody brought back by hand is there again; whether layers are whole is not seen from here.
        state = inventory.Images is { } disk ? state with { Images = state.Images with { Defects = state.Images.Defects.RemoveAll(defect => !defect.IsCorrupt && disk.Contains(defect.Image.ToString())) } } : state;
        state = state.Images.LastRun is null ? state with { Images = state.Images with { LastRun = Newest(inventory)?.Image } } : state;
        // It runs again: whose doing its end was does not matter any more, and its next one is another.
        state = state.Evidence.LastEnd is { } end && Find(inventory, end.Container) is { IsAlive: true } ? state with { Evidence = state.Evidence with { LastEnd = null } } : state;
        state = state.HasNoHistory ? Recall(state, inventory) : state;
        state = afterTrouble ? state with { Front = AskedAnew(state.Front, state.Now, policy), Candidate = state.Candidate is { } beside ? AskedAnew(beside, state.Now, policy) : null } : state;
        state = CompareBeside(state, inventory, policy);
        state = CompareFront(state, inventory, policy);
        // While an operation is under way, what was seen may be in the middle of it; its end asks again.
        return state.Front is ContainerState.Starting or ContainerState.Stopping || state.Candidate is ContainerState.Starting or ContainerState.Stopping ? state : Strays(state, inventory, policy);
    }

    /// <summary>
    /// The way to the app leads through the engine, whose own process carries the port: what failed while that was away says nothing of the app, which
    /// may have lived on. It is asked once more, with the engine there, before anything is concluded.
    /// </summary>
    private static ContainerState AskedAnew(ContainerState app, Moment now, Policy policy) => app switch
    {
        ContainerState.Serving { Failures: > 0, Probe.InFlight: null } v => v with { Failures = Math.Min(v.Failures, policy.LivenessFailures - 1), Probe = new ProbeSchedule(now, null) },
        // The one that is under way began before: it is not yet the one that counts.
        ContainerState.Serving { Failures: > 0 } v => v with { Failures = Math.Max(0, Math.Min(v.Failures, policy.LivenessFailures - 2)) },
        ContainerState.Probing p when now >= p.Since + policy.StartupDeadline => p with { Since = now },
        _ => app,
    };

    /// <summary>The labels of the newest container say what the agent knew when it made it.</summary>
    private static AgentState Recall(AgentState state, Inventory inventory)
    {
        var newest = Newest(inventory);
        return state with
        {
            HasNoHistory = false,
            Images = state.Images with
            {
                KnownGood = newest?.LastGood is { } good ? [good] : state.Images.KnownGood,
                Verdict = newest is { LastGood: { } other, Avoided: { } avoided } && other != avoided && (state.Tag.Value is null || state.Tag.Value.Image == avoided)
                ? new Verdict.Quarantined(avoided, ContainerProblems.FailedBefore(avoided))
                : state.Images.Verdict,
            },
        };
    }

    private static AgentState CompareFront(AgentState state, Inventory inventory, Policy policy) => state.Front switch
    {
        ContainerState.Starting or ContainerState.Stopping => state,
        ContainerState.Probing p => Compare(state, p.Container, TimeSpan.Zero, inventory, policy),
        ContainerState.Serving v => Compare(state, v.Container, state.Now - v.Since, inventory, policy),
        _ => Adopt(state, inventory, policy),
    };

    private static AgentState Compare(AgentState state, Container known, TimeSpan ranFor, Inventory inventory, Policy policy)
    {
        var seen = Find(inventory, known);
        if (seen is { IsAlive: true })
        {
            return seen.StartedAt != known.StartedAt ? Stop(state, Slot.Front, seen, new StopReason.RestartedByOther()) : Refresh(state, Slot.Front, seen);
        }
        if (state.RunOf(known) is { StopRequested: true })
        {
            // The agent's own stop, which it did not see the end of: it was cut by the end of the agent, or took too long.
            return Adopt(state with { Front = new ContainerState.Absent() }, inventory, policy);
        }
        var failure = Ended(state, known, seen);
        var byHand = state.Evidence.ExternalStop == known.Id && !state.Evidence.EngineDisconnected && seen is not null;
        state = state.Evidence.EngineDisconnected || seen is null ? state : FailureAttribution.RecordEnd(state, seen, failure, byHand);
        return Adopt(byHand ? FailureAttribution.HoldByDockerStop(state with { Front = new ContainerState.Absent(), Evidence = state.Evidence with { ExternalStop = null } }) : FailureHandling.FrontFailed(state, known, failure, ranFor, policy), inventory, policy);
    }

    private static AgentState CompareBeside(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is not (ContainerState.Probing or ContainerState.Draining) || state.Candidate.Current is not { } known)
        {
            return state;
        }
        var seen = Find(inventory, known);
        return seen switch
        {
            { IsAlive: true } when seen.StartedAt != known.StartedAt => Stop(state, Slot.Candidate, seen, new StopReason.RestartedByOther()),
            { IsAlive: true } => Refresh(state, Slot.Candidate, seen),
            _ when state.Candidate is ContainerState.Draining || state.RunOf(known) is { StopRequested: true } => state with { Candidate = null },
            _ => FailureHandling.CandidateFailed(state, known, Ended(state, known, seen), policy),
        };
    }

    private static Failure Ended(AgentState state, Container known, Container? seen)
    {
        var problem = seen?.Exit is not { } exit || seen.Status is ContainerStatus.Removing ? ContainerProblems.Removed(known)
            : state.Evidence.EngineDisconnected ? ContainerProblems.EndedWithEngine(seen, exit)
            : ContainerProblems.Exited(seen, exit);
        return new Failure(state.Now, known.ReleaseId, problem, seen?.Exit);
    }

    /// <summary>What already runs is taken over as it is; whether it is the right release is the plan's question.</summary>
    private static AgentState Adopt(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is ContainerState.Starting)
        {
            return state;   // one that is alive may be the one that is just being started; its report says so
        }
        var alive = inventory.Containers.Where(c => c.IsAlive && c.Id != state.Candidate?.Current?.Id);
        // Where two may run, the older one is the one that visitors know: the other one has to pass its gate first.
        var lasting = alive.OrderBy(c => state.RunOf(c) is { StopRequested: true });   // one whose stop the engine may be carrying out comes last
        alive = policy.StartFirst ? lasting.ThenBy(c => c.StartedAt, StringComparer.Ordinal) : lasting.ThenByDescending(c => c.StartedAt, StringComparer.Ordinal);
        if (alive.FirstOrDefault() is not { } found)
        {
            return state.Front is ContainerState.Unknown ? state with { Front = new ContainerState.Absent() } : state;
        }
        if (IsRunOfOther(state, found))
        {
            return Stop(state with { Hold = state.Hold == Hold.DockerStop ? null : state.Hold }, Slot.Front, found, new StopReason.RestartedByOther());
        }
        return Adopt(state with { Images = state.Images with { LastRun = found.Image ?? state.Images.LastRun }, Hold = state.Hold == Hold.DockerStop ? null : state.Hold }, Slot.Front, found);
    }

    /// <summary>Another one of ours: alive, it may prove itself or is one writer too many; ended, it only holds a name and an image.</summary>
    private static AgentState Strays(AgentState state, Inventory inventory, Policy policy)
    {
        if (state.Candidate is not (null or ContainerState.BackingOff) || state.Front.Current is not { } front)
        {
            return state;
        }
        if (inventory.Containers.FirstOrDefault(c => c.IsAlive && c.Id != front.Id) is not { } other)
        {
            return state.Candidate is null && inventory.Containers.FirstOrDefault(c => !c.IsAlive && c.Status is not ContainerStatus.Removing) is { } ended
                ? Stop(state, Slot.Candidate, ended, new StopReason.LeftOver())
                : state;
        }
        if (IsRunOfOther(state, other))
        {
            return Stop(state, Slot.Candidate, other, new StopReason.RestartedByOther());
        }
        // A candidate is the newer one; an older one was replaced, and its stop failed.
        var mayStay = policy.StartFirst && string.CompareOrdinal(other.StartedAt, front.StartedAt) > 0 && other.ReleaseId != front.ReleaseId && other.Status == ContainerStatus.Running &&
            other.ConfigFingerprint == policy.ConfigFingerprint && front.ConfigFingerprint == policy.ConfigFingerprint;
        return mayStay ? Adopt(state, Slot.Candidate, other) : Stop(state, Slot.Candidate, other, new StopReason.Stray());
    }

    /// <summary>Started by hand after a run of ours: its secrets, which only the agent hands over, are missing.</summary>
    private static bool IsRunOfOther(AgentState state, Container seen) => state.Evidence.Runs.Any(run => run.ContainerId == seen.Id && run.StartedAt != seen.StartedAt);

    private static AgentState Adopt(AgentState state, Slot slot, Container container) =>
        Rollout.Begin(state.WithRun(container), container.Image)
            .With(slot, new ContainerState.Probing(container, state.Now, ProbeKind.Startup, new ProbeSchedule(state.Now, null), null, Adopted: true));

    /// <summary>Somebody paused it, or it got its name.</summary>
    private static AgentState Refresh(AgentState state, Slot slot, Container seen) => state.At(slot) switch
    {
        ContainerState.Probing p when IsOther(p.Container, seen) => state.With(slot, p with { Container = seen }),
        ContainerState.Serving v when IsOther(v.Container, seen) => state.With(slot, v with { Container = seen }),
        _ => state,
    };

    private static bool IsOther(Container known, Container seen) => known.Status != seen.Status || known.Name != seen.Name;

    private static AgentState Stop(AgentState state, Slot slot, Container container, StopReason reason) =>
        // A stop that is told from now on is the agent's own.
        (state.Evidence.LastEnd?.Container.Id == container.Id ? state with { Evidence = state.Evidence with { LastEnd = null } } : state).With(slot, new ContainerState.Stopping(Operation.NotDispatched, container, reason));

    private static Container? Find(Inventory inventory, Container known) => inventory.Containers.FirstOrDefault(c => c.Id == known.Id);

    private static Container? Newest(Inventory inventory) => inventory.Containers.Where(c => c.Image is not null)
        .OrderByDescending(c => c.IsAlive).ThenByDescending(c => c.StartedAt, StringComparer.Ordinal).FirstOrDefault();
}
