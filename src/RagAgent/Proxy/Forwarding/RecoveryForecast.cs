using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Whether an app that does not serve is about to serve again, so that a request is better held than refused. Pure.</summary>
internal static class RecoveryForecast
{
    /// <summary>Until when it is worth to wait; null: it is not. Never at a first boot, where nothing has served yet, once the engine has said so.</summary>
    /// <param name="state">The newest state.</param>
    /// <param name="policy">The agent's numbers.</param>
    /// <param name="maxHold">For how long of a change requests wait, from its beginning.</param>
    public static Moment? WaitUntil(AgentState state, Policy policy, TimeSpan maxHold)
    {
        if (state is { Front: ContainerState.Unknown, Engine.Problem: null })
        {
            // The agent has just begun, and nobody knows yet whether an app has served all the time: the engine is being looked at.
            return Moment.Zero + maxHold;
        }
        var startedAt = state.Front is ContainerState.Probing { Adopted: true, LastError: null } adopted ? adopted.Since : state.LastServed;
        return startedAt is { } since && state is { Hold: null, EngineIsReachable: true } && state.Crashes < policy.CrashLoopThreshold && IsRecovering(state, policy, since + maxHold) ? since + maxHold : null;
    }

    private static bool IsRecovering(AgentState state, Policy policy, Moment deadline) => state.Front switch
    {
        ContainerState.Starting or ContainerState.Probing => true,
        ContainerState.Stopping { Reason: StopReason.Replaced or StopReason.Unhealthy or StopReason.RestartedByOther } => true,
        ContainerState.BackingOff backingOff => backingOff.Until < deadline && IsImageCached(state, policy),
        ContainerState.Absent => IsImageCached(state, policy),
        _ => false,
    };

    /// <summary>What is started next is on disk: a pull would take longer than anybody waits.</summary>
    private static bool IsImageCached(AgentState state, Policy policy) =>
        state.Secrets.Value is not null && (DesiredRelease.Of(state, policy)?.Image ?? state.LastImage) is { } image && !state.IsDefective(image);
}
