namespace RagAgent.Supervision;

/// <summary>When the state next needs to look at the clock.</summary>
internal static class Deadlines
{
    /// <summary>The earliest moment at which a <see cref="Event.Tick"/> could change anything; null: only news can.</summary>
    public static Moment? Next(AgentState s, Policy policy)
    {
        if (IdleStop.IsGoing(s))
        {
            return IdleStop.Deadline(s, policy);
        }
        ReadOnlySpan<Moment?> all =
        [
            Until(s.Engine.Work), Until(s.Secrets.Work), Until(s.Tag.Work),
            // What can't be begun right now is planned when that changes, not by the clock.
            Supply.MayFetch(s) ? Until(s.Image.Work) : null,
            Housekeeping.Wanted(s) is not null ? Until(s.Spare.Work) : null,
            Housekeeping.WantsWriting(s) ? Until(s.Written.Work) : null,
            s.NextCheck,
            s.Engine is { Work: Work.Idle, ReadAt: { } seen } ? seen + policy.InspectEvery : null,
            s.App is App.Absent && Target.SecretsAreAwaitedUntil(s, policy) is { } fresh && fresh > s.Now ? fresh : null,
            Of(s.App, s, policy), Of(s.Beside, s, policy),
            IdleStop.Deadline(s, policy),
        ];
        Moment? next = null;
        foreach (var moment in all)
        {
            next = Earliest(next, moment);
        }
        return next;
    }

    private static Moment? Of(App? app, AgentState s, Policy policy) => app switch
    {
        App.BackingOff b when b.Until > s.Now => b.Until,
        App.Probing p => Earliest(p.Probe.InFlight is null ? p.Probe.NextAt : null, s.EngineAnswers && Probing.Deadline(p, policy) is var end && end > s.Now ? end : null),
        App.Serving v => Earliest(v.Probe.InFlight is null ? v.Probe.NextAt : null, v.Failures > 0 ? null : Earliest(
            s.Crashes > 0 ? v.Since + policy.RestartResetAfter : null,
            Rollout.IsWatched(s, v, policy) && v.Since + policy.Watch is var proof && proof > s.Now ? proof : null)),
        _ => null,
    };

    private static Moment? Until(Work work) => (work as Work.Waiting)?.Until;

    private static Moment? Earliest(Moment? a, Moment? b) => a is null ? b : b is null ? a : a < b ? a : b;
}
