using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>Decides what happens in the two places for a container: start, probe, stop, swap.</summary>
internal static class Placement
{
    public static AgentState Plan(AgentState s, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        s = PlanFront(s, policy);
        s = PlanBeside(s, policy);
        s = Carry(s, Slot.Front, effects);
        return Carry(s, Slot.Beside, effects);
    }

    private static AgentState PlanFront(AgentState s, Policy policy)
    {
        if (s.App is App.BackingOff waiting && (s.Now >= waiting.Until || s.Hold is not null))
        {
            s = s with { App = new App.Absent() };
        }
        if (s is { App: App.Absent or App.BackingOff, Hold: null, Beside: App.Starting or App.Probing })
        {
            // The one in front is gone, and the next one is on its way already.
            s = s with { App = s.Beside, Beside = null, CandidateFailures = 0 };
        }
        if (s is { App: App.Absent, Beside: App.BackingOff })
        {
            // Nothing serves: what comes next is started in front, by the delays of the front.
            s = s with { Beside = null };
        }
        return s.App switch
        {
            // A look at the engine that is wanted or under way comes first: it may show one that is alive.
            App.Absent when s is { Beside: null, Engine.Work: Work.Idle } && Target.Startable(s, policy) is { } release => Start(s, Slot.Front, release),
            App.Probing or App.Serving when s is { EngineAnswers: true, Hold: not null } => Stop(s, Slot.Front, new StopReason.Asked()),
            App.Probing p when s.EngineAnswers && Target.MustGive(s, p, policy) => Stop(s, Slot.Front, new StopReason.Replaced()),
            App.Probing p when s.EngineAnswers && s.Now >= Probing.Deadline(p, policy) => AfterALook(s, Probing.Deadline(p, policy), () => NeverHealthy(s, Slot.Front, p, policy)),
            App.Serving v when s.EngineAnswers && v.Failures >= Probing.Patience(v, policy) => AfterALook(s, v.Probe.NextAt - policy.LivenessInterval, () => Unhealthy(s, v, policy)),
            App.Serving v when s.EngineAnswers && !Target.MayStandBeside(v.Container, policy) && Target.MustGive(s, v, policy) =>
                Stop(Rollout.Leave(s, v.Container.Image, Target.Desired(s, policy)?.Image), Slot.Front, new StopReason.Replaced()),
            _ => s,
        };
    }

    private static AgentState PlanBeside(AgentState s, Policy policy)
    {
        switch (s.Beside)
        {
            case App.BackingOff waiting when s.Now < waiting.Until && s.Hold is null:
                return s;   // whatever it waits for: the delay is what keeps a failing candidate from a storm
            case null or App.BackingOff:
                var next = s is { EngineAnswers: true, Hold: null, App: App.Serving { Failures: 0 } v } && Target.MayStandBeside(v.Container, policy) && Target.MustGive(s, v, policy)
                    ? Target.Desired(s, policy) : null;
                if (next is null || s.IsDefective(next.Image))
                {
                    return s.Beside is null ? s : s with { Beside = null };
                }
                // As in front, a look at the engine that is wanted or under way comes first.
                return s.Engine.Work is Work.Idle ? Start(Rollout.Leave(s, s.App.Current?.Image, next.Image), Slot.Beside, next) : s;
            case App.Probing or App.Draining when s is { EngineAnswers: true, Hold: not null }:
                return Stop(s, Slot.Beside, new StopReason.Asked());
            case App.Probing p when s.EngineAnswers && Target.Desired(s, policy) is { } desired && (desired.Id != p.Container.ReleaseId || desired.Id == s.App.Current?.ReleaseId):
                return Stop(s, Slot.Beside, new StopReason.Replaced());
            case App.Probing p when s.EngineAnswers && s.Now >= Probing.Deadline(p, policy):
                return AfterALook(s, Probing.Deadline(p, policy), () => NeverHealthy(s, Slot.Beside, p, policy));
            case App.Draining when s.EngineAnswers && s.App is not App.Serving:
                return Stop(s, Slot.Beside, new StopReason.Retired());
            default:
                return s;
        }
    }

    /// <summary>Gives a number to what was decided, and begins it.</summary>
    private static AgentState Carry(AgentState s, Slot slot, ImmutableArray<Effect>.Builder effects)
    {
        var number = s.Counter + 1;
        if (s.At(slot) is App.Stopping { Op: Planner.NotBegun, Container: { IsAlive: true } ending })
        {
            s = s.StopAsked(ending, isAsked: true);
            if (IsToBeNotedFirst(s, ending))
            {
                return s;
            }
        }
        var other = s.At(slot == Slot.Front ? Slot.Beside : Slot.Front)?.Current;
        (App Next, Effect Begun)? step = s.At(slot) switch
        {
            App.Starting { Op: Planner.NotBegun } x =>
                (x with { Op = number }, new Effect.StartContainer(number, x.Release, other, s.Good.FirstOrDefault(good => !Rollout.IsAvoided(s, good)), s.Verdict is { Avoids: true } v ? v.Image : null)),
            App.Stopping { Op: Planner.NotBegun } x => (x with { Op = number }, new Effect.StopContainer(number, x.Container, other, x.Reason is StopReason.Replaced or StopReason.Asked)),
            App.Draining { Op: Planner.NotBegun } x => (x with { Op = number }, new Effect.Drain(number, x.Container)),
            App.Probing { Probe.InFlight: null } x when s.Now >= x.Probe.NextAt =>
                (x with { Probe = x.Probe with { InFlight = number } }, new Effect.Probe(number, x.Stage, x.Container)),
            App.Serving { Probe.InFlight: null } x when s.Now >= x.Probe.NextAt =>
                (x with { Probe = x.Probe with { InFlight = number } }, new Effect.Probe(number, ProbeKind.Liveness, x.Container)),
            _ => null,
        };
        if (step is not { } begun)
        {
            return s;
        }
        effects.Add(begun.Begun);
        return (s with { Counter = number }).With(slot, begun.Next);
    }

    /// <summary>A stop that was asked for and not written down would be a stranger's to the agent's next life. Where notes can't be written, it is not waited for.</summary>
    private static bool IsToBeNotedFirst(AgentState s, Container ending) =>
        s.RunOf(ending) is { } run && Housekeeping.WantsWriting(s) && s.Written.Problem is null && s.Written.Value?.Runs.Contains(run) != true;

    private static AgentState Start(AgentState s, Slot slot, Release release) =>
        Rollout.Begin(s, release.Image).With(slot, new App.Starting(Planner.NotBegun, release, s.Now));

    private static AgentState Stop(AgentState s, Slot slot, StopReason reason) =>
        s.At(slot)?.Current is { } container ? s.With(slot, new App.Stopping(Planner.NotBegun, container, reason)) : s;

    /// <summary>Before a container is given up, or its image called good, the engine is looked at: one that has ended, or was restarted or paused by somebody, has another story than its probes tell.</summary>
    public static AgentState AfterALook(AgentState s, Moment since, Func<AgentState> then) =>
        s.Engine.ReadAt >= since ? then() : s with { Engine = s.Engine.Work is Work.Idle ? s.Engine.Refresh() : s.Engine };

    /// <summary>The strike counts from the decision on: a crash of the agent in the middle of the stop does not lose it.</summary>
    private static AgentState NeverHealthy(AgentState s, Slot slot, App.Probing p, Policy policy)
    {
        var stopped = Stop(s, slot, new StopReason.NeverHealthy(Probing.Deadline(p, policy) - p.Since, p.LastFault));
        return Strike(stopped, p.Container, slot, policy);
    }

    private static AgentState Unhealthy(AgentState s, App.Serving v, Policy policy)
    {
        var stopped = Stop(s, Slot.Front, new StopReason.Unhealthy(v.Failures, v.LastFault ?? "no answer"));
        return Strike(stopped, v.Container, Slot.Front, policy);
    }

    private static AgentState Strike(AgentState s, Container container, Slot slot, Policy policy) =>
        // One that somebody paused can't answer; that is not the image's doing.
        container.Status is not ContainerStatus.Paused && s.At(slot) is App.Stopping stopping && Failures.Of(stopping) is { } problem ? Crashes.Strike(s, container.Image, problem, policy) : s;
}
