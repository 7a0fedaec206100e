namespace RagAgent.Supervision;

/// <summary>When the state next needs to look at the clock.</summary>
internal static class Deadlines
{
    /// <summary>The earliest moment at which a <see cref="Event.Tick"/> could change anything; null: only news can.</summary>
    public static Moment? Next(AgentState s, Policy policy)
    {
        Moment?[] all =
        [
            Until(s.Engine.Work), Until(s.Secrets.Work), Until(s.Tag.Work),
            // A pull that waits for the engine is planned when the engine answers, not by the clock.
            s.EngineAnswers ? Until(s.Image.Work) : null,
            s.NextCheck,
            s.Engine is { Work: Work.Idle, ReadAt: { } seen } ? seen + policy.InspectEvery : null,
            s.App switch
            {
                App.BackingOff b => b.Until,
                App.Probing p => Earliest(p.Probe.InFlight is null ? p.Probe.NextAt : null, s.EngineAnswers ? p.Since + policy.StartupDeadline : null),
                App.Serving v => Earliest(v.Probe.InFlight is null ? v.Probe.NextAt : null, s.Crashes > 0 && v.Failures == 0 ? v.Since + policy.RestartResetAfter : null),
                _ => null,
            },
        ];
        return all.Where(at => at is not null).DefaultIfEmpty(null).Min();
    }

    private static Moment? Until(Work work) => (work as Work.Waiting)?.Until;

    private static Moment? Earliest(Moment? a, Moment? b) => a is null ? b : b is null ? a : a < b ? a : b;
}
