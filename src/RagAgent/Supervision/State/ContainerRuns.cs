namespace RagAgent.Supervision.State;

/// <summary>Which runs of containers the agent remembers as its own, and whether it asked for their end.</summary>
internal static class ContainerRuns
{
    /// <summary>A run of a container that was our own doing.</summary>
    public static AgentState WithRun(this AgentState state, Container container)
    {
        var run = state.RunOf(container) ?? new Run(container.Id, container.StartedAt);
        // Of the others the one that is there, however many candidates came and went beside it.
        return state with { Evidence = state.Evidence with { Runs = [run, .. state.Evidence.Runs.Where(r => r.ContainerId != run.ContainerId).OrderByDescending(r => r.ContainerId == state.Front.Current?.Id || r.ContainerId == state.Candidate?.Current?.Id).Take(1)] } };
    }

    /// <summary>What is remembered of the container as it runs now; null: nothing.</summary>
    public static Run? RunOf(this AgentState state, Container container) =>
        state.Evidence.Runs.FirstOrDefault(run => run.ContainerId == container.Id && run.StartedAt == container.StartedAt);

    /// <summary>The engine goes on with a stop that nobody waits for any more: when the agent ends, or finds that it takes too long.</summary>
    public static AgentState WithStopRequested(this AgentState state, Container container, bool isRequested) => state.RunOf(container) switch
    {
        { } run => run.StopRequested == isRequested ? state : state with { Evidence = state.Evidence with { Runs = state.Evidence.Runs.Replace(run, run with { StopRequested = isRequested }) } },
        // Nobody's run that is known, as a stray's: its end is the agent's doing all the same.
        null => isRequested ? state with { Evidence = state.Evidence with { Runs = [.. state.Evidence.Runs.Take(2), new Run(container.Id, container.StartedAt) { StopRequested = true }] } } : state,
    };
}
