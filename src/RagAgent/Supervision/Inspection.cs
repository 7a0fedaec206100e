namespace RagAgent.Supervision;

/// <summary>What the engine shows, held against what the agent thinks. The engine is right.</summary>
internal static class Inspection
{
    public static AgentState Learn(AgentState s, Inventory inventory, Policy policy)
    {
        s = s.LastImage is null ? s with { LastImage = Newest(inventory)?.Image } : s;
        return s.App switch
        {
            // While an operation is under way, what was seen may be older than it; its end asks again.
            App.Starting or App.Stopping => s,
            App.Probing p => Compare(s, p.Container, TimeSpan.Zero, inventory, policy),
            App.Serving v => Compare(s, v.Container, s.Now - v.Since, inventory, policy),
            _ => Adopt(s, inventory),
        };
    }

    private static AgentState Compare(AgentState s, Container known, TimeSpan ranFor, Inventory inventory, Policy policy)
    {
        var seen = inventory.Containers.FirstOrDefault(c => c.Id == known.Id);
        if (seen is null || seen.Status is ContainerStatus.Removing)
        {
            return Adopt(Reducer.Crashed(s, new Failure(s.Now, known.ReleaseId, Failures.Removed(known), []), ranFor, policy), inventory);
        }
        if (!seen.IsAlive)
        {
            var exit = seen.Exit ?? new ContainerExit(0, false, "", []);
            return Adopt(Reducer.Crashed(s, new Failure(s.Now, known.ReleaseId, Failures.Exited(seen, exit), exit.LastLines), ranFor, policy), inventory);
        }
        return seen.StartedAt != known.StartedAt ? Stop(s, seen, new StopReason.RestartedByOther()) : StopStrays(s, seen, inventory);
    }

    /// <summary>What already runs is taken over as it is; whether it is the right release is the plan's question.</summary>
    private static AgentState Adopt(AgentState s, Inventory inventory)
    {
        var alive = inventory.Containers.Where(c => c.IsAlive).OrderByDescending(c => c.StartedAt, StringComparer.Ordinal).FirstOrDefault();
        if (alive is null)
        {
            return s.App is App.Unseen ? s with { App = new App.Absent() } : s;
        }
        var adopted = new App.Probing(alive, s.Now, ProbeKind.Startup, new ProbeClock(s.Now, null), null);
        return StopStrays(s with { App = adopted, LastImage = alive.Image ?? s.LastImage }, alive, inventory);
    }

    /// <summary>Two of ours alive is one writer too many. The other one goes first; then the engine is asked anew.</summary>
    private static AgentState StopStrays(AgentState s, Container keep, Inventory inventory) =>
        inventory.Containers.FirstOrDefault(c => c.IsAlive && c.Id != keep.Id) is { } stray ? Stop(s, stray, new StopReason.Stray()) : s;

    private static AgentState Stop(AgentState s, Container container, StopReason reason) =>
        s with { App = new App.Stopping(Planner.NotBegun, container, reason) };

    private static Container? Newest(Inventory inventory) =>
        inventory.Containers.Where(c => c.Image is not null).OrderByDescending(c => c.StartedAt, StringComparer.Ordinal).FirstOrDefault();
}
