using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Notes since when a newer release waits for sessions in use.</summary>
internal static class UpdateWait
{
    public static AgentState Plan(AgentState state, Policy policy) => state.Front switch
    {
        ContainerState.Serving serving when DesiredRelease.Of(state, policy) is { } desired =>
            desired.Id == serving.Container.ReleaseId ? state with { UpdateWaitsSince = null } : Begin(state, policy),
        // The agent has started, and doesn't know yet what serves or what should.
        ContainerState.Unknown or ContainerState.Serving or ContainerState.Probing { Adopted: true } => state,
        _ => state with { UpdateWaitsSince = null },
    };

    private static AgentState Begin(AgentState state, Policy policy) =>
        SessionUse.HoldsUpdate(state, policy) && SessionUse.Count(state, state.Now, policy) > 0
        ? state with { UpdateWaitsSince = state.UpdateWaitsSince ?? state.Now }
        : state;
}
