using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>A fresh look at the engine before a conclusion that can't be taken back.</summary>
internal static class Reinspection
{
    /// <summary>
    /// Before a container is given up, or its image called good, the engine is inspected: a container that has ended, was restarted or
    /// was paused by a person explains failed probes better than the app does.
    /// </summary>
    /// <param name="state">The state now.</param>
    /// <param name="since">Only an inspection that began at this moment or later counts.</param>
    /// <param name="then">What follows from such an inspection.</param>
    public static AgentState OnceReinspected(this AgentState state, Moment since, Func<AgentState> then) =>
        state.Engine.ReadAt >= since ? then()
        : state.Engine.State is FetchState.Idle ? state with { Engine = state.Engine.Refresh() }
        : state;
}
