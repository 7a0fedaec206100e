namespace RagAgent.Supervision;

/// <summary>What the engine shows, held against what the agent thinks. The engine is right.</summary>
internal static class Inspection
{
    /// <param name="s">What was known; that the engine broke still stands in it.</param>
    /// <param name="inventory">What the engine shows.</param>
    /// <param name="afterTrouble">The engine was away, or did not do what it was asked, since it was last looked at.</param>
    /// <param name="policy">The numbers.</param>
    public static AgentState Learn(AgentState s, Inventory inventory, bool afterTrouble, Policy policy)
    {
        // What somebody brought back by hand is there again; whether layers are whole is not seen from here.
        s = inventory.Images is { } disk ? s with { Defects = s.Defects.RemoveAll(defect => !defect.IsCorrupt && disk.Contains(defect.Image.ToString())) } : s;
        s = s.LastImage is null ? s with { LastImage = Newest(inventory)?.Image } : s;
        // It runs again: whose doing its end was does not matter any more, and its next one is another.
        s = s.LastEnd is { } end && Find(inventory, end.Container) is { IsAlive: true } ? s with { LastEnd = null } : s;
        s = s.IsForgetful ? Recall(s, inventory) : s;
        s = afterTrouble ? s with { App = AskedAnew(s.App, s.Now, policy), Beside = s.Beside is { } beside ? AskedAnew(beside, s.Now, policy) : null } : s;
        s = CompareBeside(s, inventory, policy);
        s = CompareFront(s, inventory, policy);
        // While an operation is under way, what was seen may be in the middle of it; its end asks again.
        return s.App is App.Starting or App.Stopping || s.Beside is App.Starting or App.Stopping ? s : Strays(s, inventory, policy);
    }

    /// <summary>
    /// The way to the app leads through the engine, whose own process carries the port: what failed while that was away says nothing of the app, which
    /// may have lived on. It is asked once more, with the engine there, before anything is concluded.
    /// </summary>
    private static App AskedAnew(App app, Moment now, Policy policy) => app switch
    {
        App.Serving { Failures: > 0, Probe.InFlight: null } v => v with { Failures = Math.Min(v.Failures, policy.LivenessFailures - 1), Probe = new ProbeClock(now, null) },
        // The one that is under way began before: it is not yet the one that counts.
        App.Serving { Failures: > 0 } v => v with { Failures = Math.Max(0, Math.Min(v.Failures, policy.LivenessFailures - 2)) },
        App.Probing p when now >= p.Since + policy.StartupDeadline => p with { Since = now },
        _ => app,
    };

    /// <summary>The labels of the newest container say what the agent knew when it made it.</summary>
    private static AgentState Recall(AgentState s, Inventory inventory)
    {
        var newest = Newest(inventory);
        return s with
        {
            IsForgetful = false,
            Good = newest?.LastGood is { } good ? [good] : s.Good,
            Verdict = newest is { LastGood: { } other, Avoided: { } avoided } && other != avoided && (s.Tag.Value is null || s.Tag.Value.Image == avoided)
                ? new Verdict.Quarantined(avoided, Failures.FailedBefore(avoided))
                : s.Verdict,
        };
    }

    private static AgentState CompareFront(AgentState s, Inventory inventory, Policy policy) => s.App switch
    {
        App.Starting or App.Stopping => s,
        App.Probing p => Compare(s, p.Container, TimeSpan.Zero, inventory, policy),
        App.Serving v => Compare(s, v.Container, s.Now - v.Since, inventory, policy),
        _ => Adopt(s, inventory, policy),
    };

    private static AgentState Compare(AgentState s, Container known, TimeSpan ranFor, Inventory inventory, Policy policy)
    {
        var seen = Find(inventory, known);
        if (seen is { IsAlive: true })
        {
            return seen.StartedAt != known.StartedAt ? Stop(s, Slot.Front, seen, new StopReason.RestartedByOther()) : Refresh(s, Slot.Front, seen);
        }
        if (s.RunOf(known) is { StopAsked: true })
        {
            // The agent's own stop, which it did not see the end of: it was cut by the end of the agent, or took too long.
            return Adopt(s with { App = new App.Absent() }, inventory, policy);
        }
        var failure = Ended(s, known, seen);
        var byHand = s.StopCalled == known.Id && !s.EngineBroke && seen is not null;
        s = s.EngineBroke || seen is null ? s : Attribution.Ended(s, seen, failure, byHand);
        return Adopt(byHand ? Attribution.Held(s with { App = new App.Absent(), StopCalled = null }) : Crashes.Front(s, known, failure, ranFor, policy), inventory, policy);
    }

    private static AgentState CompareBeside(AgentState s, Inventory inventory, Policy policy)
    {
        if (s.Beside is not (App.Probing or App.Draining) || s.Beside.Current is not { } known)
        {
            return s;
        }
        var seen = Find(inventory, known);
        return seen switch
        {
            { IsAlive: true } when seen.StartedAt != known.StartedAt => Stop(s, Slot.Beside, seen, new StopReason.RestartedByOther()),
            { IsAlive: true } => Refresh(s, Slot.Beside, seen),
            _ when s.Beside is App.Draining || s.RunOf(known) is { StopAsked: true } => s with { Beside = null },
            _ => Crashes.Candidate(s, known, Ended(s, known, seen), policy),
        };
    }

    private static Failure Ended(AgentState s, Container known, Container? seen)
    {
        var problem = seen?.Exit is not { } exit || seen.Status is ContainerStatus.Removing ? Failures.Removed(known)
            : s.EngineBroke ? Failures.EndedWithEngine(seen, exit)
            : Failures.Exited(seen, exit);
        return new Failure(s.Now, known.ReleaseId, problem, seen?.Exit);
    }

    /// <summary>What already runs is taken over as it is; whether it is the right release is the plan's question.</summary>
    private static AgentState Adopt(AgentState s, Inventory inventory, Policy policy)
    {
        if (s.Beside is App.Starting)
        {
            return s;   // one that is alive may be the one that is just being started; its report says so
        }
        var alive = inventory.Containers.Where(c => c.IsAlive && c.Id != s.Beside?.Current?.Id);
        // Where two may run, the older one is the one that visitors know: the other one has to pass its gate first.
        var lasting = alive.OrderBy(c => s.RunOf(c) is { StopAsked: true });   // one whose stop the engine may be carrying out comes last
        alive = policy.StartFirst ? lasting.ThenBy(c => c.StartedAt, StringComparer.Ordinal) : lasting.ThenByDescending(c => c.StartedAt, StringComparer.Ordinal);
        if (alive.FirstOrDefault() is not { } found)
        {
            return s.App is App.Unseen ? s with { App = new App.Absent() } : s;
        }
        if (IsRunOfOther(s, found))
        {
            return Stop(s with { Hold = s.Hold == Hold.Hand ? null : s.Hold }, Slot.Front, found, new StopReason.RestartedByOther());
        }
        return Met(s with { LastImage = found.Image ?? s.LastImage, Hold = s.Hold == Hold.Hand ? null : s.Hold }, Slot.Front, found);
    }

    /// <summary>Another one of ours: alive, it may prove itself or is one writer too many; ended, it only holds a name and an image.</summary>
    private static AgentState Strays(AgentState s, Inventory inventory, Policy policy)
    {
        if (s.Beside is not (null or App.BackingOff) || s.App.Current is not { } front)
        {
            return s;
        }
        if (inventory.Containers.FirstOrDefault(c => c.IsAlive && c.Id != front.Id) is not { } other)
        {
            return s.Beside is null && inventory.Containers.FirstOrDefault(c => !c.IsAlive && c.Status is not ContainerStatus.Removing) is { } ended
                ? Stop(s, Slot.Beside, ended, new StopReason.LeftOver())
                : s;
        }
        if (IsRunOfOther(s, other))
        {
            return Stop(s, Slot.Beside, other, new StopReason.RestartedByOther());
        }
        // A candidate is the newer one; an older one was replaced, and its stop failed.
        var mayStay = policy.StartFirst && string.CompareOrdinal(other.StartedAt, front.StartedAt) > 0 && other.ReleaseId != front.ReleaseId && other.Status == ContainerStatus.Running &&
            other.ConfigFingerprint == policy.ConfigFingerprint && front.ConfigFingerprint == policy.ConfigFingerprint;
        return mayStay ? Met(s, Slot.Beside, other) : Stop(s, Slot.Beside, other, new StopReason.Stray());
    }

    /// <summary>Started by hand after a run of ours: its secrets, which only the agent hands over, are missing.</summary>
    private static bool IsRunOfOther(AgentState s, Container seen) => s.Runs.Any(run => run.ContainerId == seen.Id && run.StartedAt != seen.StartedAt);

    private static AgentState Met(AgentState s, Slot slot, Container container) =>
        Rollout.Begin(s.Ran(container), container.Image)
            .With(slot, new App.Probing(container, s.Now, ProbeKind.Startup, new ProbeClock(s.Now, null), null, Adopted: true));

    /// <summary>Somebody paused it, or it got its name.</summary>
    private static AgentState Refresh(AgentState s, Slot slot, Container seen) => s.At(slot) switch
    {
        App.Probing p when IsOther(p.Container, seen) => s.With(slot, p with { Container = seen }),
        App.Serving v when IsOther(v.Container, seen) => s.With(slot, v with { Container = seen }),
        _ => s,
    };

    private static bool IsOther(Container known, Container seen) => known.Status != seen.Status || known.Name != seen.Name;

    private static AgentState Stop(AgentState s, Slot slot, Container container, StopReason reason) =>
        // A stop that is told from now on is the agent's own.
        (s.LastEnd?.Container.Id == container.Id ? s with { LastEnd = null } : s).With(slot, new App.Stopping(Planner.NotBegun, container, reason));

    private static Container? Find(Inventory inventory, Container known) => inventory.Containers.FirstOrDefault(c => c.Id == known.Id);

    private static Container? Newest(Inventory inventory) => inventory.Containers.Where(c => c.Image is not null)
        .OrderByDescending(c => c.IsAlive).ThenByDescending(c => c.StartedAt, StringComparer.Ordinal).FirstOrDefault();
}
