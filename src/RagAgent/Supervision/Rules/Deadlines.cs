using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>When the state next needs to look at the clock.</summary>
internal static class Deadlines
{
    /// <summary>The earliest moment at which a <see cref="Event.Tick"/> could change anything; null: only news can.</summary>
    public static Moment? Next(AgentState state, Policy policy)
    {
        if (IdleStop.IsStopping(state))
        {
            return IdleStop.Deadline(state, policy);
        }
        ReadOnlySpan<Moment?> all =
        [
            Until(state.Engine.State), Until(state.Secrets.State), Until(state.Tag.State),
            // What can't be begun right now is planned when that changes, not by the clock.
            Acquisition.MayFetch(state) ? Until(state.Image.State) : null,
            Housekeeping.WantedFallback(state) is not null ? Until(state.Images.Fallback.State) : null,
            Housekeeping.MustPersist(state) ? Until(state.Saved.State) : null,
            state.NextCheck,
            state.Engine is { State: FetchState.Idle, ReadAt: { } seen } ? seen + policy.InspectInterval : null,
            state.Front is ContainerState.Absent && DesiredRelease.SecretsDeadline(state, policy) is { } fresh && fresh > state.Now ? fresh : null,
            Of(state.Front, state, policy), Of(state.Candidate, state, policy),
            IdleStop.Deadline(state, policy),
        ];
        Moment? next = null;
        foreach (var moment in all)
        {
            next = Earliest(next, moment);
        }
        return next;
    }

    private static Moment? Of(ContainerState? app, AgentState state, Policy policy) => app switch
    {
        ContainerState.BackingOff b when b.Until > state.Now => b.Until,
        ContainerState.Probing p => Earliest(p.Probe.InFlight is null ? p.Probe.NextAt : null, state.EngineIsReachable && Probing.Deadline(p, policy) is var end && end > state.Now ? end : null),
        ContainerState.Serving serving => Earliest(serving.Probe.InFlight is null ? serving.Probe.NextAt : null, serving.Failures > 0 ? null : Earliest(
            state.Failures.Crashes > 0 ? serving.Since + policy.RestartResetAfter : null,
            Watch.Covers(state, serving, policy) && serving.Since + policy.Watch is var proof && proof > state.Now ? proof : null)),
        _ => null,
    };

    private static Moment? Until(FetchState work) => (work as FetchState.Waiting)?.Until;

    private static Moment? Earliest(Moment? a, Moment? b) => a is null ? b : b is null ? a : a < b ? a : b;
}
