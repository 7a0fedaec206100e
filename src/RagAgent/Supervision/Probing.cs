namespace RagAgent.Supervision;

/// <summary>What a probe's answer means for the container that was asked, in either place.</summary>
internal static class Probing
{
    private static readonly TimeSpan FirstStartupPause = TimeSpan.FromMilliseconds(100);

    public static AgentState Learn(AgentState s, Event.Probed probed, Policy policy) =>
        InFlight(s.App) == probed.Probe ? Answered(s, Slot.Front, s.App, probed.Result, policy)
        : s.Beside is { } beside && InFlight(beside) == probed.Probe ? Answered(s, Slot.Beside, beside, probed.Result, policy)
        : s;

    /// <summary>So many failures in a row end its life: twice as many while the machine itself was short, for then a slow app is no sick app.</summary>
    public static int Patience(App.Serving serving, Policy policy) => serving.UnderPressure ? 2 * policy.LivenessFailures : policy.LivenessFailures;

    /// <summary>When it must be well, by the same measure.</summary>
    public static Moment Deadline(App.Probing probing, Policy policy) => probing.Since + (probing.UnderPressure ? 2 * policy.StartupDeadline : policy.StartupDeadline);

    private static long? InFlight(App app) => app switch
    {
        App.Probing p => p.Probe.InFlight,
        App.Serving v => v.Probe.InFlight,
        _ => null,
    };

    private static AgentState Answered(AgentState s, Slot slot, App app, ProbeResult result, Policy policy) => app switch
    {
        App.Probing p => NotServing(s, slot, p, result, policy),
        App.Serving v => s.With(slot, Serving(s, v, result, policy)),
        _ => s,
    };

    private static AgentState NotServing(AgentState s, Slot slot, App.Probing p, ProbeResult result, Policy policy)
    {
        // Asked often at first, so that a quick app is not kept waiting, and at the configured pace from then on.
        var pause = TimeSpan.FromTicks(Math.Min(policy.StartupInterval.Ticks, Math.Max((s.Now - p.Since).Ticks, FirstStartupPause.Ticks)));
        var later = new ProbeClock(s.Now + pause, null);
        return result switch
        {
            // As long as nothing at all could be asked, its time has not begun: it may be well.
            ProbeResult.NotAsked => s.With(slot, p with { Probe = new ProbeClock(s.Now + policy.StartupInterval, null), Since = p.LastFault is null ? s.Now : p.Since }),
            // A failed gate begins anew with the startup probe: what failed there may be a process that just died.
            ProbeResult.Failed failed => s.With(slot, p with { Stage = ProbeKind.Startup, Probe = later, LastFault = failed.Fault, UnderPressure = p.UnderPressure || failed.UnderPressure }),
            _ when p.Stage == ProbeKind.Startup && policy.HasGate => s.With(slot, p with { Stage = ProbeKind.Gate, Probe = new ProbeClock(s.Now, null) }),
            _ => Passed(s, slot, p, later, policy),
        };
    }

    private static AgentState Passed(AgentState s, Slot slot, App.Probing p, ProbeClock later, Policy policy)
    {
        var serving = new App.Serving(p.Container, s.Now, 0, new ProbeClock(s.Now + policy.LivenessInterval, null), null, Adopted: p.Adopted);
        return (slot, s.App) switch
        {
            (Slot.Front, _) => s with { App = serving },
            // The swap: new visitors come to the new one from this moment on.
            (_, App.Serving old) => s with
            {
                App = serving,
                Beside = new App.Draining(Planner.NotBegun, old.Container),
                LastImage = p.Container.Image ?? s.LastImage,
                CandidateFailures = 0,
                Crashes = 0,
            },
            // The one in front is just ending: the candidate takes its place in a moment, and is asked again there.
            _ => s.With(slot, p with { Stage = ProbeKind.Startup, Probe = later }),
        };
    }

    private static App.Serving Serving(AgentState s, App.Serving v, ProbeResult result, Policy policy)
    {
        var next = new ProbeClock(s.Now + policy.LivenessInterval, null);
        return result switch
        {
            ProbeResult.NotAsked => v with { Probe = next },
            ProbeResult.Failed failed => v with
            {
                Failures = v.Failures + 1,
                Probe = next,
                LastFault = failed.Fault,
                UnderPressure = v.UnderPressure || failed.UnderPressure,
            },
            _ => v with { Failures = 0, Probe = next, LastFault = null, UnderPressure = false },
        };
    }
}
