using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>When the state must be looked at again although no event arrived.</summary>
internal static class Deadlines
{
    /// <summary>The earliest moment at which a <see cref="Event.Tick"/> could change anything; null: only another event can.</summary>
    public static Moment? Next(AgentState state, Policy policy)
    {
        if (IdleStop.IsStopping(state))
        {
            return IdleStop.Deadline(state, policy);
        }
        ReadOnlySpan<Moment?> deadlines =
        [
            RetryAt(state.Engine.State), RetryAt(state.Secrets.State), RetryAt(state.Tag.State),
            // Work that can't begin now is planned when that changes, not by the clock.
            Acquisition.MayFetch(state) ? RetryAt(state.Image.State) : null,
            Housekeeping.WantedFallback(state) is not null ? RetryAt(state.Images.Fallback.State) : null,
            Housekeeping.MustPersist(state) ? RetryAt(state.Saved.State) : null,
            state.NextCheck,
            state.Engine is { State: FetchState.Idle, ReadAt: { } inspectedAt } ? inspectedAt + policy.InspectInterval : null,
            state.Front is ContainerState.Absent ? After(state.Now, DesiredRelease.SecretsDeadline(state, policy)) : null,
            state.Front is ContainerState.Absent ? After(state.Now, DesiredRelease.StaleAt(state, policy)) : null,
            OfSlot(state.Front, state, policy), OfSlot(state.Candidate, state, policy),
            SessionUse.Deadline(state, policy),
            IdleStop.Deadline(state, policy),
        ];
        Moment? next = null;
        foreach (var deadline in deadlines)
        {
            next = Earliest(next, deadline);
        }
        return next;
    }

    private static Moment? OfSlot(ContainerState? slot, AgentState state, Policy policy) => slot switch
    {
        ContainerState.BackingOff backingOff => After(state.Now, backingOff.Until),
        ContainerState.Probing probing => Earliest(
            NextProbe(probing.Probe),
            state.EngineIsReachable ? After(state.Now, Probing.Deadline(state, probing, policy)) : null),
        ContainerState.Serving { Failures: > 0 } serving => NextProbe(serving.Probe),
        ContainerState.Serving serving => Earliest(NextProbe(serving.Probe), Earliest(
            state.Failures.Crashes > 0 ? serving.Since + policy.RestartResetAfter : null,
            Watch.Covers(state, serving, policy) ? After(state.Now, serving.Since + policy.Watch) : null)),
        _ => null,
    };

    private static Moment? NextProbe(ProbeSchedule schedule) => schedule.InFlight is null ? schedule.NextAt : null;

    private static Moment? RetryAt(FetchState fetch) => (fetch as FetchState.Waiting)?.Until;

    /// <summary>The deadline, unless it has passed.</summary>
    private static Moment? After(Moment now, Moment? deadline) => deadline > now ? deadline : null;

    private static Moment? Earliest(Moment? first, Moment? second) => (first, second) switch
    {
        (null, _) => second,
        (_, null) => first,
        _ => first < second ? first : second,
    };
}
