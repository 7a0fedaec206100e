namespace RagAgent.Supervision.State;

/// <summary>Which runs of containers the agent remembers as its own, and whether it asked the engine to end them.</summary>
internal static class ContainerRuns
{
    /// <summary>Remembers that the agent started or adopted this run.</summary>
    public static AgentState WithRun(this AgentState state, Container container)
    {
        var run = state.RunOf(container) ?? new Run(container.Id, container.StartedAt);
        // One other run is kept: preferably of a container in a slot, however many candidates came and went.
        var other = state.Evidence.Runs.Where(known => known.ContainerId != run.ContainerId)
            .OrderByDescending(known => known.ContainerId == state.Front.Current?.Id || known.ContainerId == state.Candidate?.Current?.Id)
            .Take(1);
        return state with { Evidence = state.Evidence with { Runs = [run, .. other] } };
    }

    /// <summary>The remembered run of the container as it runs now; null: none.</summary>
    public static Run? RunOf(this AgentState state, Container container) =>
        state.Evidence.Runs.FirstOrDefault(run => run.ContainerId == container.Id && run.StartedAt == container.StartedAt);

    /// <summary>Remembers that this run has passed its gate.</summary>
    public static AgentState WithPassedGate(this AgentState state, Container container)
    {
        var runs = state.Evidence.Runs;
        return state.RunOf(container) is { PassedGate: false } run
            ? state with { Evidence = state.Evidence with { Runs = runs.Replace(run, run with { PassedGate = true }) } }
            : state;
    }

    /// <summary>
    /// Remembers whether the agent asked the engine to stop this run. The engine carries out a stop even if the agent ends or gives up
    /// waiting, so the end of the run may come later.
    /// </summary>
    public static AgentState WithStopRequested(this AgentState state, Container container, bool isRequested)
    {
        var runs = state.Evidence.Runs;
        if (state.RunOf(container) is { } run)
        {
            return run.StopRequested == isRequested
                ? state
                : state with { Evidence = state.Evidence with { Runs = runs.Replace(run, run with { StopRequested = isRequested }) } };
        }
        // A run that nobody remembers, such as a stray's: its end is still the agent's doing.
        var unknown = new Run(container.Id, container.StartedAt) { StopRequested = true };
        return isRequested ? state with { Evidence = state.Evidence with { Runs = [.. runs.Take(2), unknown] } } : state;
    }
}
