using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The heart: what the agent knows after an event, and what it does about it. Pure; same input, same answer.</summary>
/// <remarks>
/// First the event is folded into the state (<see cref="Apply"/>), then <see cref="Planner"/> compares what is with what
/// should be. The plan looks at the state alone, so an event that was lost, doubled or late changes at most when
/// something happens, never whether it does.
/// </remarks>
internal static class Reducer
{
    public static Step Next(AgentState state, Event @event, Policy policy)
    {
        var step = Planner.Plan(Apply(state with { Now = @event.At > state.Now ? @event.At : state.Now }, @event, policy), policy);
        return step with { State = TrackLastServed(state, step.State) };
    }

    private static AgentState TrackLastServed(AgentState before, AgentState after) => (before.Front, after.Front) switch
    {
        (_, ContainerState.Serving) => after.LastServed is null ? after : after with { LastServed = null },
        (ContainerState.Serving, _) => after with { LastServed = after.Now },
        _ => after,
    };

    private static AgentState Apply(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.EngineInspected or Event.EngineFailed or Event.EngineChanged or Event.EngineDisconnected or Event.ExternalStopRequested => ApplyEngineEvent(state, @event, policy),
        Event.ContainerStarted or Event.StartFailed or Event.ContainerStopped or Event.StopFailed or Event.Drained => ApplyContainerEvent(state, @event, policy),

        Event.SecretsRead read when state.Secrets.IsRunning => state with { Secrets = state.Secrets.Succeed(read.Versions) },
        Event.SecretsFailed failed when state.Secrets.IsRunning => state.WithJitter(t => state with { Secrets = state.Secrets.Fail(failed.Problem, state.Now, policy.Retry, t) }),
        Event.TagResolved resolved when state.Tag.IsRunning => TagResolved(state, resolved.Resolution, policy),
        Event.TagFailed failed when state.Tag.IsRunning => state.WithJitter(t => state with { Tag = state.Tag.Fail(failed.Problem, state.Now, policy.Retry, t) }),

        Event.PullProgressed progressed when state.Image.IsRunning => state with { Pull = state.Pull with { Progress = progressed.Progress, Rate = PullRate.Next(state.Pull.Rate, state.Now, progressed.Progress.DownloadedBytes) } },
        Event.ImageReady ready when state.Image.IsRunning => state.WithoutDefect(ready.Image.Digest) with { Image = state.Image.Succeed(ready.Image), Pull = PullState.None },
        Event.ImageFailed failed when state.Image.IsRunning => ImageFailed(state, failed.Problem, policy),
        Event.FallbackReady ready when state.Images.Fallback.IsRunning => FallbackReady(state, ready.Image),
        Event.FallbackFailed failed when state.Images.Fallback.IsRunning => FallbackFailed(state, failed.Problem, policy),
        Event.CleanupFinished collected when state.Images.Cleanup.IsRunning => state with
        {
            Images = state.Images with { Cleanup = state.Images.Cleanup.Succeed(collected.Result) },
            Image = collected.Result.Removed > 0 && state.Image.Problem?.Kind.Retry == ProblemRetry.AfterCleanup ? state.Image.Refresh() : state.Image,
        },
        // What could not be removed is removed after the next update: nothing waits for it.
        Event.CleanupFailed when state.Images.Cleanup.IsRunning => state with { Images = state.Images with { Cleanup = state.Images.Cleanup.Succeed(new ImageCleanupResult(0, 0)) } },
        Event.StateSaved written when state.Saved.IsRunning => state with { Saved = state.Saved.Succeed(written.Saved) },
        Event.SaveFailed failed when state.Saved.IsRunning => state.WithJitter(t => state with { Saved = state.Saved.Fail(failed.Problem, state.Now, policy.Retry, t) }),

        Event.Probed probed => Probing.Apply(state, probed, policy),
        Event.FrontDoorOpened => state with { FrontDoor = new FrontDoorState(IsOpen: true, null) },
        Event.FrontDoorFailed failed => state with { FrontDoor = new FrontDoorState(IsOpen: false, failed.Problem) },
        Event.SessionsChanged changed => state with { Sessions = changed.Open },
        Event.OperatorRequested asked => OperatorRequests.Begin(IdleStop.Touch(state), asked.Kind),
        Event.ActivitySeen => IdleStop.Touch(state),
        Event.InstanceStopAccepted stops when state.InstanceStop.IsRunning => state with { InstanceStop = state.InstanceStop.Succeed(new StopAccepted(stops.InstanceId, state.Now)) },
        Event.InstanceStopFailed failed when state.InstanceStop.IsRunning && policy.Idle is { } idle => state.WithJitter(t => state with { InstanceStop = state.InstanceStop.Fail(failed.Problem, state.Now, idle.Retry, t) }),
        _ => state,   // time passed, or late news of what is over
    };

    private static AgentState ApplyEngineEvent(AgentState state, Event @event, Policy policy)
    {
        switch (@event)
        {
            case Event.EngineInspected seen when state.Engine.IsRunning:
                // An answer that began before the last operation ended may show the world before it.
                var counts = !state.Engine.IsOutdated;
                var afterTrouble = state.Evidence.EngineDisconnected || state.Engine.Failures > 0;
                state = state with { Engine = state.Engine.Succeed(seen.Inventory) };
                if (!counts)
                {
                    return state;
                }
                state = Inspection.Apply(state, seen.Inventory, afterTrouble, policy);
                return state with { Evidence = state.Evidence with { EngineDisconnected = false } };
            case Event.EngineFailed failed when state.Engine.IsRunning:
                state = NoteDisconnect(state, failed.Problem);
                return state.WithJitter(t => state with { Engine = state.Engine.Fail(failed.Problem, state.Now, policy.Retry, t) });
            case Event.EngineChanged:
                return state with { Engine = state.Engine.Failures == 0 ? state.Engine.Refresh() : state.Engine };
            case Event.EngineDisconnected:
                return FailureAttribution.EngineDisconnected(state) with { Engine = state.Engine.Failures == 0 ? state.Engine.Refresh() : state.Engine };
            case Event.ExternalStopRequested called:
                return FailureAttribution.ExternalStopRequested(state, called.ContainerId);
            default:
                return state;
        }
    }

    private static AgentState ApplyContainerEvent(AgentState state, Event @event, Policy policy)
    {
        switch (@event)
        {
            case Event.ContainerStarted started when state.SlotOfOperation(started.Operation) is { } slot && state.At(slot) is ContainerState.Starting starting:
                return (state with
                {
                    Images = state.Images with { LastRun = slot == Slot.Front ? starting.Release.Image : state.Images.LastRun },
                    Engine = state.Engine.Refresh(),
                }).WithRun(started.Container).With(slot, new ContainerState.Probing(started.Container, state.Now, ProbeKind.Startup, new ProbeSchedule(state.Now, null), null, Adopted: false));
            case Event.StartFailed failed when state.SlotOfOperation(failed.Operation) is { } slot && state.At(slot) is ContainerState.Starting starting:
                return StartFailed(state, slot, starting, failed.Problem, policy);
            case Event.ContainerStopped stopped when state.SlotOfOperation(stopped.Operation) is { } slot && state.At(slot) is ContainerState.Stopping stopping:
                state = state with { Engine = state.Engine.Refresh(), Evidence = state.Evidence with { FailedStops = 0 } };
                return slot == Slot.Front ? FrontStopped(state, stopping, policy) : CandidateStopped(state, stopping, policy);
            case Event.StopFailed failed when state.SlotOfOperation(failed.Operation) is { } slot && state.At(slot) is ContainerState.Stopping { Reason: StopReason.LeftOver, Container: var ended } && !IsSeenAlive(state, ended):
                return state.With(slot, null);   // it has ended and harms nobody: the next look at the engine is early enough
            case Event.StopFailed failed when state.SlotOfOperation(failed.Operation) is { } slot && state.At(slot) is ContainerState.Stopping:
                // It may still run: nothing is assumed, the engine is asked again after a delay.
                state = state with { Evidence = state.Evidence with { FailedStops = state.Evidence.FailedStops + 1 } };
                return EngineFailed(state.With(slot, slot == Slot.Front ? new ContainerState.Unknown() : null), failed.Problem, policy);
            case Event.Drained drained when state.SlotOfOperation(drained.Operation) is { } slot && state.At(slot) is ContainerState.Draining draining:
                return state.With(slot, new ContainerState.Stopping(Operation.NotDispatched, draining.Container, new StopReason.Retired()));
            default:
                return state;
        }
    }

    private static AgentState TagResolved(AgentState state, Resolution resolution, Policy policy)
    {
        var moved = state.Tag.Value?.Image != resolution.Image;
        state = Rollout.TagMoved(state, resolution.Image);
        return state with
        {
            Tag = state.Tag.Succeed(resolution),
            NextCheck = policy.CheckInterval is { } every ? state.Now + every : null,
            // A pull of the digest before it goes on; its end leads to the newer one. A delay that it earned does not bind this one.
            Image = moved ? state.Image.Refresh() : state.Image,
            Failures = state.Failures with { OfCandidate = moved ? 0 : state.Failures.OfCandidate },
        };
    }

    private static AgentState ImageFailed(AgentState state, Problem problem, Policy policy)
    {
        // What lies there in pieces is in the way of the whole: the next try removes it first.
        state = problem.Kind == ProblemCatalog.ImageCorrupt && state.Tag.Value is { } tag ? state.WithDefect(new Defect(tag.Image, IsCorrupt: true)) : state;
        return CleanUpIfDiskFull(state.WithJitter(t => state with { Image = state.Image.Fail(problem, state.Now, policy.PullRetry, t), Pull = PullState.None }), problem);
    }

    private static AgentState FallbackReady(AgentState state, ImageName image)
    {
        state = state.WithoutDefect(image.Digest);
        return state with { Images = state.Images with { Fallback = state.Images.Fallback.Succeed(image) }, Engine = state.Engine.Refresh() };
    }

    private static AgentState FallbackFailed(AgentState state, Problem problem, Policy policy)
    {
        state = state.WithJitter(t => state with { Images = state.Images with { Fallback = state.Images.Fallback.Fail(problem, state.Now, policy.PullRetry, t) } });
        // The registry does not have it any more, or visitors would wait for it too long: there is nothing to go back to. One that serves is not given up.
        return Housekeeping.WantedFallback(state) is { } gone && state.Front.Current?.Image != gone &&
            (problem.Kind == ProblemCatalog.RegistryTagMissing || (state.Images.Fallback.Failures >= policy.StaleAfterFailures && state.IsDefective(gone)))
            ? Rollout.DropGood(state with { Images = state.Images with { Fallback = Fetched<ImageName>.Idle } }, gone)
            : state;
    }

    private static AgentState StartFailed(AgentState state, Slot slot, ContainerState.Starting starting, Problem problem, Policy policy)
    {
        var image = starting.Release.Image;
        switch (problem.Kind.Retry)
        {
            case ProblemRetry.AfterInspection:
                return EngineFailed(state.With(slot, slot == Slot.Front ? new ContainerState.Unknown() : null), problem, policy);
            case ProblemRetry.AfterFetch:
                var isNewest = state.Tag.Value?.Image == image;
                state = state.WithDefect(new Defect(image, problem.Kind == ProblemCatalog.ImageCorrupt));
                state = state with
                {
                    Image = isNewest ? state.Image.Forget() : state.Image,
                    Images = state.Images with
                    {
                        LastRun = state.Images.LastRun == image ? null : state.Images.LastRun,
                        Fallback = isNewest ? state.Images.Fallback : state.Images.Fallback.Refresh(),
                    },
                };
                break;
            case ProblemRetry.AfterCleanup:
                state = CleanUpIfDiskFull(state, problem);
                break;
        }
        state = FailureHandling.Strike(state with { Engine = state.Engine.Refresh() }, image, problem, policy);
        var failure = new Failure(state.Now, starting.Release.Id, problem, null);
        return slot == Slot.Front ? FailureHandling.FrontFailed(state, image, failure, ranFor: TimeSpan.Zero, policy) : FailureHandling.CandidateFailed(state, image, failure, policy);
    }

    private static bool IsSeenAlive(AgentState state, Container container) => state.Engine.Value?.Containers.Any(seen => seen.Id == container.Id && seen.IsAlive) == true;

    private static AgentState EngineFailed(AgentState state, Problem problem, Policy policy)
    {
        state = NoteDisconnect(state, problem);
        return state.WithJitter(t => state with { Engine = state.Engine.FailIndirectly(problem, state.Now, policy.Retry, t, Math.Max(1, state.Evidence.FailedStops)) });
    }

    private static AgentState NoteDisconnect(AgentState state, Problem problem) => problem.Kind == ProblemCatalog.EngineUnreachable ? FailureAttribution.EngineDisconnected(state) : state;

    private static AgentState CleanUpIfDiskFull(AgentState state, Problem problem) => problem.Kind.Retry == ProblemRetry.AfterCleanup ? state with { Images = state.Images with { Cleanup = state.Images.Cleanup.Refresh() } } : state;

    private static AgentState FrontStopped(AgentState state, ContainerState.Stopping stopping, Policy policy) => FailureOf(state, stopping) is { } failure
        ? FailureHandling.FrontFailed(state, stopping.Container.Image, failure, TimeSpan.Zero, policy)
        : state with { Front = new ContainerState.Absent() };

    private static AgentState CandidateStopped(AgentState state, ContainerState.Stopping stopping, Policy policy) => FailureOf(state, stopping) is { } failure
        ? FailureHandling.CandidateFailed(state, stopping.Container.Image, failure, policy)
        : state with { Candidate = null };

    private static Failure? FailureOf(AgentState state, ContainerState.Stopping stopping) =>
        ContainerProblems.OfStop(stopping) is { } problem ? new Failure(state.Now, stopping.Container.ReleaseId, problem, null) : null;
}
