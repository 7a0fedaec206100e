using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>Compares what is with what should be, and begins what is missing and not yet under way.</summary>
internal static class Planner
{
    /// <summary>The number of an operation that was decided on and has no number yet.</summary>
    public const long NotBegun = 0;

    public static Step Plan(AgentState s, Policy policy)
    {
        var effects = ImmutableArray.CreateBuilder<Effect>();
        s = PlanInputs(s, policy, effects);
        s = PlanApp(s, policy, effects);
        s = Proven(s, policy);
        return new Step(UpdateEnd.Learn(s, policy), effects.ToImmutable());
    }

    private static AgentState PlanInputs(AgentState s, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (s.NextCheck is { } check && s.Now >= check)
        {
            s = s with { Tag = s.Tag.Refresh(), NextCheck = null };
        }
        if (s.Engine is { Work: Work.Idle, ReadAt: { } seen } && s.Now >= seen + policy.InspectEvery)
        {
            s = s with { Engine = s.Engine.Refresh() };
        }
        if (s.Engine.IsDue(s.Now))
        {
            s = s with { Engine = s.Engine.Begin(s.Now) };
            effects.Add(new Effect.InspectEngine());
        }
        if (s.Secrets.IsDue(s.Now))
        {
            s = s with { Secrets = s.Secrets.Begin(s.Now) };
            effects.Add(new Effect.ReadSecrets());
        }
        if (s.Tag.Value is { } wanted && s.Image.Value?.Digest != wanted.Image.Digest && s.EngineAnswers &&
            (s.Image.IsDue(s.Now) || s.Image.Work is Work.Idle))
        {
            // What could not be had may have been pushed anew: the tag is asked beside the next try.
            var again = s.Image.Work is Work.Waiting && s.Tag.Work is Work.Idle;
            s = s with { Image = s.Image.Begin(s.Now), Tag = again ? s.Tag.Refresh() : s.Tag };
            effects.Add(new Effect.EnsureImage(wanted));
        }
        if (s.Tag.IsDue(s.Now))
        {
            s = s with { Tag = s.Tag.Begin(s.Now) };
            effects.Add(new Effect.ResolveTag());
        }
        return s;
    }

    private static AgentState PlanApp(AgentState s, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (s.App is App.BackingOff waiting && s.Now >= waiting.Until)
        {
            s = s with { App = new App.Absent() };
        }
        s = s.App switch
        {
            // A look at the engine that is wanted or under way comes first: it may show one that is alive.
            App.Absent when s.Engine.Work is Work.Idle && Startable(s, policy) is { } release => s with
            {
                App = new App.Starting(NotBegun, release, s.Now),
            },
            App.Probing p when s.EngineAnswers && MustGive(s, p.Container, policy) => Stop(s, p.Container, new StopReason.Replaced()),
            App.Probing p when s.EngineAnswers && s.Now >= p.Since + policy.StartupDeadline =>
                Stop(s, p.Container, new StopReason.NeverHealthy(policy.StartupDeadline, p.LastFault)),
            App.Serving v when s.EngineAnswers && MustGive(s, v.Container, policy) => Stop(s, v.Container, new StopReason.Replaced()),
            App.Serving v when s.EngineAnswers && v.Failures >= policy.LivenessFailures =>
                Stop(s, v.Container, new StopReason.Unhealthy(v.Failures, v.LastFault ?? "no answer")),
            _ => s,
        };
        switch (s.App)
        {
            case App.Starting { Op: NotBegun } starting:
                s = s with { Counter = s.Counter + 1, App = starting with { Op = s.Counter + 1 } };
                effects.Add(new Effect.StartContainer(s.Counter, starting.Release));
                break;
            case App.Stopping { Op: NotBegun } stopping:
                s = s with { Counter = s.Counter + 1, App = stopping with { Op = s.Counter + 1 } };
                effects.Add(new Effect.StopContainer(s.Counter, stopping.Container));
                break;
            case App.Probing { Probe: { InFlight: null } clock } p when s.Now >= clock.NextAt:
                s = s with { Counter = s.Counter + 1, App = p with { Probe = clock with { InFlight = s.Counter + 1 } } };
                effects.Add(new Effect.Probe(s.Counter, p.Stage, p.Container));
                break;
            case App.Serving { Probe: { InFlight: null } clock } v when s.Now >= clock.NextAt:
                s = s with { Counter = s.Counter + 1, App = v with { Probe = clock with { InFlight = s.Counter + 1 } } };
                effects.Add(new Effect.Probe(s.Counter, ProbeKind.Liveness, v.Container));
                break;
        }
        return s;
    }

    /// <summary>The newest release: known only when the tag, its image and the secrets all are.</summary>
    public static Release? Desired(AgentState s, Policy policy) =>
        s.Tag.Value is { } tag && s.Image.Value is { } image && image.Digest == tag.Image.Digest && s.Secrets.Value is { } secrets
            ? new Release(tag.Image, policy.ConfigFingerprint, secrets.Fingerprint)
            : null;

    /// <summary>
    /// What to start when nothing runs: the newest release, or, while it can't be had, the image that ran before.
    /// At boot the newest is waited for until the look-up has failed a few times; after a crash nothing is waited for.
    /// </summary>
    private static Release? Startable(AgentState s, Policy policy)
    {
        if (Desired(s, policy) is { } desired)
        {
            return IsFresh(s) ? desired : null;
        }
        var newestIsOutOfReach = s.Tag.Failures >= policy.StaleAfterFailures || s.Image.Failures >= policy.StaleAfterFailures;
        return s.LastImage is { } last && s.Secrets.Value is { } secrets && (s.Crashes > 0 || newestIsOutOfReach)
            ? new Release(last, policy.ConfigFingerprint, secrets.Fingerprint)
            : null;
    }

    /// <summary>An update that was asked for is answered by what is learned after it, unless the answer fails to come.</summary>
    private static bool IsFresh(AgentState s) =>
        s.Update is not { } update ||
        ((s.Tag.ReadAt >= update.AskedAt || s.Tag.Problem is not null) && (s.Secrets.ReadAt >= update.AskedAt || s.Secrets.Problem is not null));

    /// <summary>Whether the container must make room for the newest release now.</summary>
    private static bool MustGive(AgentState s, Container container, Policy policy)
    {
        if (Desired(s, policy) is not { } desired || desired.Id == container.ReleaseId || !IsFresh(s))
        {
            return false;
        }
        var visitorsMayBeCut = !policy.WaitForIdle || s.Sessions == 0 || s.Update is not null || s.App is App.Probing;
        var operatorChangedTheFile = container.ConfigFingerprint != policy.ConfigFingerprint;
        return visitorsMayBeCut || operatorChangedTheFile;
    }

    /// <summary>A long quiet run forgets the crashes before it.</summary>
    private static AgentState Proven(AgentState s, Policy policy) =>
        s.Crashes > 0 && s.App is App.Serving { Failures: 0 } v && s.Now >= v.Since + policy.RestartResetAfter ? s with { Crashes = 0 } : s;

    private static AgentState Stop(AgentState s, Container container, StopReason reason) =>
        s with { App = new App.Stopping(NotBegun, container, reason) };
}
