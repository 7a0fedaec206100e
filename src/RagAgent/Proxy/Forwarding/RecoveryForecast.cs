using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Predicts whether an app that does not serve is about to serve again, so that requests are held. A pure function.</summary>
internal static class RecoveryForecast
{
    /// <summary>
    /// Until when to hold a request. Null: don't.
    /// Never during a first boot, when nothing has served yet, once the engine has confirmed that.
    /// </summary>
    /// <param name="state">The newest state.</param>
    /// <param name="policy">When the app counts as crash-looping.</param>
    /// <param name="maxHold">How long requests wait, counted from the moment when the app stopped serving them.</param>
    public static Moment? WaitUntil(AgentState state, Policy policy, TimeSpan maxHold)
    {
        if (state is { Front: ContainerState.Unknown, Engine.Problem: null })
        {
            // The agent has just started. An app may have served all the time; the first inspection is still running.
            return Moment.Zero + maxHold;
        }
        var startedAt = state.Front switch
        {
            ContainerState.Probing { Adopted: true, LastError: null } adopted => adopted.Since,
            ContainerState.Serving serving => serving.UnreadySince,
            _ => state.LastServed,
        };
        var mayRecover = state is { Hold: null, EngineIsReachable: true } && state.Failures.Crashes < policy.CrashLoopThreshold;
        return mayRecover && startedAt is { } since && IsRecovering(state, policy, since + maxHold) ? since + maxHold : null;
    }

    private static bool IsRecovering(AgentState state, Policy policy, Moment deadline) => state.Front switch
    {
        ContainerState.Starting or ContainerState.Probing or ContainerState.Serving { UnreadySince: not null } => true,
        ContainerState.Stopping stopping => stopping.Reason is
            StopReason.Replaced or StopReason.Unhealthy or StopReason.RestartedByOther or StopReason.SessionFailed,
        ContainerState.BackingOff backingOff => backingOff.Until < deadline && IsImageCached(state, policy),
        ContainerState.Absent => IsImageCached(state, policy),
        _ => false,
    };

    /// <summary>Whether the image that starts next is on disk. A pull would take longer than clients wait.</summary>
    private static bool IsImageCached(AgentState state, Policy policy) =>
        state.Secrets.Value is not null &&
        (DesiredRelease.Of(state, policy)?.Image ?? state.Images.LastRun) is { } image &&
        !state.IsDefective(image);
}
