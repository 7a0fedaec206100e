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
    public static Step Next(AgentState state, Event e, Policy policy)
    {
        var step = Planner.Plan(Learn(state with { Now = e.At > state.Now ? e.At : state.Now }, e, policy), policy);
        return step with { State = Served(state, step.State) };
    }

    private static AgentState Served(AgentState before, AgentState after) => (before.App, after.App) switch
    {
        (_, App.Serving) => after.ServedUntil is null ? after : after with { ServedUntil = null },
        (App.Serving, _) => after with { ServedUntil = after.Now },
        _ => after,
    };

    private static AgentState Learn(AgentState s, Event e, Policy policy) => e switch
    {
        Event.EngineInspected or Event.EngineFailed or Event.EngineStirred or Event.EngineBroke or Event.StopCalled => LearnEngine(s, e, policy),
        Event.ContainerStarted or Event.StartFailed or Event.ContainerStopped or Event.StopFailed or Event.Drained => LearnContainer(s, e, policy),

        Event.SecretsRead read when s.Secrets.IsRunning => s with { Secrets = s.Secrets.Succeed(read.Versions) },
        Event.SecretsFailed failed when s.Secrets.IsRunning => s.Draw(t => s with { Secrets = s.Secrets.Fail(failed.Problem, s.Now, policy.Retry, t) }),
        Event.TagResolved resolved when s.Tag.IsRunning => Resolved(s, resolved.Resolution, policy),
        Event.TagFailed failed when s.Tag.IsRunning => s.Draw(t => s with { Tag = s.Tag.Fail(failed.Problem, s.Now, policy.Retry, t) }),

        Event.PullProgressed progressed when s.Image.IsRunning => s with { Progress = progressed.Progress, Pace = PullPace.Next(s.Pace, s.Now, progressed.Progress.DownloadedBytes) },
        Event.ImageReady ready when s.Image.IsRunning => s.Mended(ready.Image.Digest) with { Image = s.Image.Succeed(ready.Image), Progress = null, Pace = null },
        Event.ImageFailed failed when s.Image.IsRunning => ImageFailed(s, failed.Problem, policy),
        Event.SpareReady ready when s.Spare.IsRunning => s.Mended(ready.Image.Digest) with { Spare = s.Spare.Succeed(ready.Image), Engine = s.Engine.Refresh() },
        Event.SpareFailed failed when s.Spare.IsRunning => SpareFailed(s, failed.Problem, policy),
        Event.ImagesCollected collected when s.Sweep.IsRunning => s with
        {
            Sweep = s.Sweep.Succeed(collected.Collection),
            Image = collected.Collection.Removed > 0 && s.Image.Problem?.Code == ProblemCodes.DiskFull ? s.Image.Refresh() : s.Image,
        },
        // What could not be removed is removed after the next update: nothing waits for it.
        Event.CollectFailed when s.Sweep.IsRunning => s with { Sweep = s.Sweep.Succeed(new Collection(0, 0)) },
        Event.Remembered written when s.Written.IsRunning => s with { Written = s.Written.Succeed(written.Memory) },
        Event.RememberFailed failed when s.Written.IsRunning => s.Draw(t => s with { Written = s.Written.Fail(failed.Problem, s.Now, policy.Retry, t) }),

        Event.Probed probed => Probing.Learn(s, probed, policy),
        Event.DoorOpened => s with { Door = new Door(IsOpen: true, null) },
        Event.DoorFailed failed => s with { Door = new Door(IsOpen: false, failed.Problem) },
        Event.SessionsChanged changed => s with { Sessions = changed.Open },
        Event.Asked asked => Requests.Begin(IdleStop.Stirred(s), asked.Kind),
        Event.Visited => IdleStop.Stirred(s),
        Event.InstanceStops stops when s.InstanceStop.IsRunning => s with { InstanceStop = s.InstanceStop.Succeed(new Acceptance(stops.InstanceId, s.Now)) },
        Event.InstanceStopFailed failed when s.InstanceStop.IsRunning && policy.Idle is { } idle => s.Draw(t => s with { InstanceStop = s.InstanceStop.Fail(failed.Problem, s.Now, idle.Retry, t) }),
        _ => s,   // time passed, or late news of what is over
    };

    private static AgentState LearnEngine(AgentState s, Event e, Policy policy)
    {
        switch (e)
        {
            case Event.EngineInspected seen when s.Engine.IsRunning:
                // An answer that began before the last operation ended may show the world before it.
                var counts = !s.Engine.IsOutdated;
                var afterTrouble = s.EngineBroke || s.Engine.Failures > 0;
                s = s with { Engine = s.Engine.Succeed(seen.Inventory) };
                return counts ? Inspection.Learn(s, seen.Inventory, afterTrouble, policy) with { EngineBroke = false } : s;
            case Event.EngineFailed failed when s.Engine.IsRunning:
                s = WentAway(s, failed.Problem);
                return s.Draw(t => s with { Engine = s.Engine.Fail(failed.Problem, s.Now, policy.Retry, t) });
            case Event.EngineStirred:
                return s with { Engine = s.Engine.Failures == 0 ? s.Engine.Refresh() : s.Engine };
            case Event.EngineBroke:
                return Attribution.EngineWentAway(s) with { Engine = s.Engine.Failures == 0 ? s.Engine.Refresh() : s.Engine };
            case Event.StopCalled called:
                return Attribution.StopCalled(s, called.ContainerId);
            default:
                return s;
        }
    }

    private static AgentState LearnContainer(AgentState s, Event e, Policy policy)
    {
        switch (e)
        {
            case Event.ContainerStarted started when s.SlotOf(started.Op) is { } slot && s.At(slot) is App.Starting starting:
                return (s with
                {
                    LastImage = slot == Slot.Front ? starting.Release.Image : s.LastImage,
                    Engine = s.Engine.Refresh(),
                }).Ran(started.Container).With(slot, new App.Probing(started.Container, s.Now, ProbeKind.Startup, new ProbeClock(s.Now, null), null, Adopted: false));
            case Event.StartFailed failed when s.SlotOf(failed.Op) is { } slot && s.At(slot) is App.Starting starting:
                return StartFailed(s, slot, starting, failed.Problem, policy);
            case Event.ContainerStopped stopped when s.SlotOf(stopped.Op) is { } slot && s.At(slot) is App.Stopping stopping:
                s = s with { Engine = s.Engine.Refresh(), FailedStops = 0 };
                return slot == Slot.Front ? FrontStopped(s, stopping, policy) : BesideStopped(s, stopping, policy);
            case Event.StopFailed failed when s.SlotOf(failed.Op) is { } slot && s.At(slot) is App.Stopping { Reason: StopReason.LeftOver, Container: var ended } && !IsSeenAlive(s, ended):
                return s.With(slot, null);   // it has ended and harms nobody: the next look at the engine is early enough
            case Event.StopFailed failed when s.SlotOf(failed.Op) is { } slot && s.At(slot) is App.Stopping:
                // It may still run: nothing is assumed, the engine is asked again after a delay.
                return EngineFailed(s.With(slot, slot == Slot.Front ? new App.Unseen() : null) with { FailedStops = s.FailedStops + 1 }, failed.Problem, policy);
            case Event.Drained drained when s.SlotOf(drained.Op) is { } slot && s.At(slot) is App.Draining draining:
                return s.With(slot, new App.Stopping(Planner.NotBegun, draining.Container, new StopReason.Retired()));
            default:
                return s;
        }
    }

    private static AgentState Resolved(AgentState s, Resolution resolution, Policy policy)
    {
        var moved = s.Tag.Value?.Image != resolution.Image;
        return Rollout.TagMoved(s, resolution.Image) with
        {
            Tag = s.Tag.Succeed(resolution),
            NextCheck = policy.CheckEvery is { } every ? s.Now + every : null,
            // A pull of the digest before it goes on; its end leads to the newer one. A delay that it earned does not bind this one.
            Image = moved ? s.Image.Refresh() : s.Image,
            CandidateFailures = moved ? 0 : s.CandidateFailures,
        };
    }

    private static AgentState ImageFailed(AgentState s, Problem problem, Policy policy)
    {
        // What lies there in pieces is in the way of the whole: the next try removes it first.
        s = problem.Code == ProblemCodes.ImageCorrupt && s.Tag.Value is { } tag ? s.Found(new Defect(tag.Image, IsCorrupt: true)) : s;
        return MakeRoom(s.Draw(t => s with { Image = s.Image.Fail(problem, s.Now, policy.PullRetry, t), Progress = null, Pace = null }), problem);
    }

    private static AgentState SpareFailed(AgentState s, Problem problem, Policy policy)
    {
        s = s.Draw(t => s with { Spare = s.Spare.Fail(problem, s.Now, policy.PullRetry, t) });
        // The registry does not have it any more, or visitors would wait for it too long: there is nothing to go back to. One that serves is not given up.
        return Housekeeping.Wanted(s) is { } gone && s.App.Current?.Image != gone &&
            (problem.Code == ProblemCodes.TagMissing || (s.Spare.Failures >= policy.StaleAfterFailures && s.IsDefective(gone)))
            ? Rollout.Lose(s, gone) with { Spare = Tracked<ImageName>.Resting }
            : s;
    }

    private static AgentState StartFailed(AgentState s, Slot slot, App.Starting starting, Problem problem, Policy policy)
    {
        var image = starting.Release.Image;
        switch (problem.Code)
        {
            case ProblemCodes.EngineUnreachable or ProblemCodes.EngineSilent:
                return EngineFailed(s.With(slot, slot == Slot.Front ? new App.Unseen() : null), problem, policy);
            case ProblemCodes.ImageMissing or ProblemCodes.ImageCorrupt:
                var isNewest = s.Tag.Value?.Image == image;
                s = s.Found(new Defect(image, problem.Code == ProblemCodes.ImageCorrupt)) with
                {
                    Image = isNewest ? s.Image.Forget() : s.Image,
                    LastImage = s.LastImage == image ? null : s.LastImage,
                    Spare = isNewest ? s.Spare : s.Spare.Refresh(),
                };
                break;
            case ProblemCodes.DiskFull:
                s = MakeRoom(s, problem);
                break;
        }
        s = Crashes.Strike(s with { Engine = s.Engine.Refresh() }, image, problem, policy);
        var failure = new Failure(s.Now, starting.Release.Id, problem, null);
        return slot == Slot.Front ? Crashes.Front(s, image, failure, ranFor: TimeSpan.Zero, policy) : Crashes.Candidate(s, image, failure, policy);
    }

    private static bool IsSeenAlive(AgentState s, Container container) => s.Engine.Value?.Containers.Any(seen => seen.Id == container.Id && seen.IsAlive) == true;

    private static AgentState EngineFailed(AgentState s, Problem problem, Policy policy)
    {
        s = WentAway(s, problem);
        return s.Draw(t => s with { Engine = s.Engine.FailElsewhere(problem, s.Now, policy.Retry, t, Math.Max(1, s.FailedStops)) });
    }

    private static AgentState WentAway(AgentState s, Problem problem) => problem.Code == ProblemCodes.EngineUnreachable ? Attribution.EngineWentAway(s) : s;

    private static AgentState MakeRoom(AgentState s, Problem problem) => problem.Code == ProblemCodes.DiskFull ? s with { Sweep = s.Sweep.Refresh() } : s;

    private static AgentState FrontStopped(AgentState s, App.Stopping stopping, Policy policy) => Why(s, stopping) is { } failure
        ? Crashes.Front(s, stopping.Container.Image, failure, TimeSpan.Zero, policy)
        : s with { App = new App.Absent() };

    private static AgentState BesideStopped(AgentState s, App.Stopping stopping, Policy policy) => Why(s, stopping) is { } failure
        ? Crashes.Candidate(s, stopping.Container.Image, failure, policy)
        : s with { Beside = null };

    private static Failure? Why(AgentState s, App.Stopping stopping) =>
        Failures.Of(stopping) is { } problem ? new Failure(s.Now, stopping.Container.ReleaseId, problem, null) : null;
}
