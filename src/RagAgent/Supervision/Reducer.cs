using System.Collections.Immutable;

namespace RagAgent.Supervision;

internal sealed record Step(AgentState State, ImmutableArray<Effect> Effects);

/// <summary>The heart: what the agent knows after an event, and what it does about it. Pure; same input, same answer.</summary>
/// <remarks>
/// First the event is folded into the state (<see cref="Learn"/>), then <see cref="Planner"/> compares what is with what
/// should be. The plan looks at the state alone, so an event that was lost, doubled or late changes at most when
/// something happens, never whether it does.
/// </remarks>
internal static class Reducer
{
    private static readonly TimeSpan FirstStartupPause = TimeSpan.FromMilliseconds(100);

    public static Step Next(AgentState state, Event e, Policy policy) =>
        Planner.Plan(Learn(state with { Now = e.At > state.Now ? e.At : state.Now }, e, policy), policy);

    private static AgentState Learn(AgentState s, Event e, Policy policy)
    {
        switch (e)
        {
            case Event.EngineInspected seen when s.Engine.IsRunning:
                // An answer that began before the last operation ended may show the world before it.
                var counts = !s.Engine.IsOutdated;
                s = s with { Engine = s.Engine.Succeed(seen.Inventory) };
                return counts ? Inspection.Learn(s, seen.Inventory, policy) : s;
            case Event.EngineFailed failed when s.Engine.IsRunning:
                return s.Fail(t => s with { Engine = s.Engine.Fail(failed.Problem, s.Now, policy.Retry, t) });
            case Event.EngineStirred:
                return s with { Engine = s.Engine.Failures == 0 ? s.Engine.Refresh() : s.Engine };

            case Event.SecretsRead read when s.Secrets.IsRunning:
                return s with { Secrets = s.Secrets.Succeed(read.Versions) };
            case Event.SecretsFailed failed when s.Secrets.IsRunning:
                return s.Fail(t => s with { Secrets = s.Secrets.Fail(failed.Problem, s.Now, policy.Retry, t) });

            case Event.TagResolved resolved when s.Tag.IsRunning:
                return Resolved(s, resolved.Resolution, policy);
            case Event.TagFailed failed when s.Tag.IsRunning:
                return s.Fail(t => s with { Tag = s.Tag.Fail(failed.Problem, s.Now, policy.Retry, t) });

            case Event.PullProgressed progressed when s.Image.IsRunning:
                return s with { Progress = progressed.Progress };
            case Event.ImageReady ready when s.Image.IsRunning:
                return s with { Image = s.Image.Succeed(ready.Image), Progress = null };
            case Event.ImageFailed failed when s.Image.IsRunning:
                return s.Fail(t => s with { Image = s.Image.Fail(failed.Problem, s.Now, policy.PullRetry, t), Progress = null });

            case Event.ContainerStarted started when s.App is App.Starting starting && starting.Op == started.Op:
                return s with
                {
                    App = new App.Probing(started.Container, s.Now, ProbeKind.Startup, new ProbeClock(s.Now, null), null),
                    LastImage = starting.Release.Image,
                    Engine = s.Engine.Refresh(),
                };
            case Event.StartFailed failed when s.App is App.Starting starting && starting.Op == failed.Op:
                return StartFailed(s, starting, failed.Problem, policy);
            case Event.ContainerStopped stopped when s.App is App.Stopping stopping && stopping.Op == stopped.Op:
                return Stopped(s with { Engine = s.Engine.Refresh() }, stopping, policy);
            case Event.StopFailed failed when s.App is App.Stopping stopping && stopping.Op == failed.Op:
                // It may still run: nothing is assumed, the engine is asked again after a delay.
                return s.Fail(t => s with
                {
                    App = new App.Unseen(),
                    Engine = s.Engine.FailElsewhere(failed.Problem, s.Now, policy.Retry, t),
                });

            case Event.Probed probed:
                return Probed(s, probed, policy);
            case Event.DoorOpened:
                return s with { Door = new Door(IsOpen: true, null) };
            case Event.DoorFailed failed:
                return s with { Door = new Door(IsOpen: false, failed.Problem) };
            case Event.SessionsChanged changed:
                return s with { Sessions = changed.Open };
            case Event.UpdateAsked:
                return UpdateAsked(s);
            default:
                return s;   // time passed, or late news of what is over
        }
    }

    private static AgentState Resolved(AgentState s, Resolution resolution, Policy policy)
    {
        var moved = s.Tag.Value?.Image != resolution.Image;
        return s with
        {
            Tag = s.Tag.Succeed(resolution),
            NextCheck = policy.CheckEvery is { } every ? s.Now + every : null,
            // A pull of the digest before it goes on; its end leads to the newer one. A delay that it earned does not bind this one.
            Image = moved ? s.Image.Refresh() : s.Image,
        };
    }

    private static AgentState StartFailed(AgentState s, App.Starting starting, Problem problem, Policy policy)
    {
        if (problem.Code == ProblemCodes.EngineUnreachable)
        {
            return s.Fail(t => s with
            {
                App = new App.Unseen(),
                Engine = s.Engine.FailElsewhere(problem, s.Now, policy.Retry, t),
            });
        }
        if (problem.Code == ProblemCodes.ImageMissing)
        {
            s = s with { Image = s.Image.Forget(), LastImage = s.LastImage == starting.Release.Image ? null : s.LastImage };
        }
        return Crashed(s with { Engine = s.Engine.Refresh() }, new Failure(s.Now, starting.Release.Id, problem, []), ranFor: TimeSpan.Zero, policy);
    }

    private static AgentState Stopped(AgentState s, App.Stopping stopping, Policy policy) => stopping.Reason switch
    {
        StopReason.Unhealthy u => Crashed(s, new Failure(s.Now, stopping.Container.ReleaseId, Failures.Unhealthy(stopping.Container, u), []), TimeSpan.Zero, policy),
        StopReason.NeverHealthy n => Crashed(s, new Failure(s.Now, stopping.Container.ReleaseId, Failures.NeverHealthy(stopping.Container, n), []), TimeSpan.Zero, policy),
        _ => s with { App = new App.Absent() },
    };

    /// <summary>One more crash in a row, unless the run before it was long and quiet.</summary>
    internal static AgentState Crashed(AgentState s, Failure failure, TimeSpan ranFor, Policy policy)
    {
        var crashes = ranFor >= policy.RestartResetAfter ? 1 : s.Crashes + 1;
        return s.Fail(luck => s with
        {
            Crashes = crashes,
            LastFailure = failure,
            App = new App.BackingOff(s.Now + policy.Restart.After(crashes, luck)),
        });
    }

    private static AgentState Probed(AgentState s, Event.Probed probed, Policy policy)
    {
        switch (s.App)
        {
            case App.Probing p when p.Probe.InFlight == probed.Probe:
                // Asked often at first, so that a quick app is not kept waiting, and at the configured pace from then on.
                var pause = TimeSpan.FromTicks(Math.Min(policy.StartupInterval.Ticks, Math.Max((s.Now - p.Since).Ticks, FirstStartupPause.Ticks)));
                var later = new ProbeClock(s.Now + pause, null);
                return Fault(probed.Result) switch
                {
                    // A failed gate begins anew with the startup probe: what failed there may be a process that just died.
                    { } fault => s with { App = p with { Stage = ProbeKind.Startup, Probe = later, LastFault = fault } },
                    null when p.Stage == ProbeKind.Startup && policy.HasGate =>
                        s with { App = p with { Stage = ProbeKind.Gate, Probe = new ProbeClock(s.Now, null) } },
                    null => s with
                    {
                        App = new App.Serving(p.Container, s.Now, 0, new ProbeClock(s.Now + policy.LivenessInterval, null), null),
                    },
                };

            case App.Serving v when v.Probe.InFlight == probed.Probe:
                var next = new ProbeClock(s.Now + policy.LivenessInterval, null);
                return s with
                {
                    App = Fault(probed.Result) is { } reason
                        ? v with { Failures = v.Failures + 1, Probe = next, LastFault = reason }
                        : v with { Failures = 0, Probe = next, LastFault = null },
                };

            default:
                return s;
        }
    }

    private static string? Fault(ProbeResult result) => (result as ProbeResult.Failed)?.Fault;

    private static AgentState UpdateAsked(AgentState s) => s with
    {
        Counter = s.Counter + 1,
        Update = new Update(s.Counter + 1, s.Now, s.Update is { } open ? open.From : (s.App as App.Serving)?.Container.ReleaseId),
        Secrets = s.Secrets.Refresh(),
        Tag = s.Tag.Refresh(),
        Image = s.Image.Problem is null ? s.Image : s.Image.Refresh(),
        // An operator who asks now does not wait for a delay that a crash earned earlier.
        App = s.App is App.BackingOff ? new App.Absent() : s.App,
        Engine = s.Engine.Problem is null ? s.Engine : s.Engine.Refresh(),
    };

    /// <summary>Draws the next number for a jittered delay.</summary>
    private static AgentState Fail(this AgentState s, Func<double, AgentState> then)
    {
        var seed = (s.Seed * 6364136223846793005UL) + 1442695040888963407UL;
        return then((seed >> 11) / (double)(1UL << 53)) with { Seed = seed };
    }
}
