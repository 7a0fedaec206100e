using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>
/// The core's only entry: what the agent knows after an event, and what it does next. Pure: the same input gives the same result.
/// </summary>
/// <remarks>
/// First the event is applied to the state, then the <see cref="Planner"/> compares the actual with the desired state. The plan looks
/// only at the state, so an event that is lost, repeated or late changes when something happens, but not whether it happens.
/// </remarks>
internal static class Reducer
{
    public static Step Next(AgentState state, Event @event, Policy policy)
    {
        var now = @event.At > state.Now ? @event.At : state.Now;
        var step = Planner.Plan(Apply(state with { Now = now }, @event, policy), policy);
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
        Event.EngineInspected or Event.EngineFailed or Event.EngineChanged or Event.EngineDisconnected or Event.ExternalStopRequested =>
            ApplyEngineEvent(state, @event, policy),
        Event.ContainerStarted or Event.StartFailed or Event.ContainerStopped or Event.StopFailed or Event.Drained =>
            ApplyContainerEvent(state, @event, policy),
        Event.TagResolved or Event.TagFailed or Event.PullProgressed or Event.ImageReady or Event.ImageFailed =>
            ApplyNewestImageEvent(state, @event, policy),
        Event.FallbackReady or Event.FallbackFailed or Event.CleanupFinished or Event.CleanupFailed =>
            ApplyOldImageEvent(state, @event, policy),
        Event.SecretsRead or Event.SecretsFailed or Event.StateSaved or Event.SaveFailed =>
            ApplyResult(state, @event, policy),
        Event.InstanceStopAccepted or Event.InstanceStopFailed =>
            ApplyInstanceEvent(state, @event, policy),

        Event.Probed probed => PortInspection.Note(state, Probing.Apply(state, probed, policy), probed, policy),
        Event.PortsInspected inspected => PortInspection.Inspected(state, inspected),
        Event.FrontDoorOpened => state with { FrontDoor = new FrontDoorState(IsOpen: true, null) },
        Event.FrontDoorFailed failed => state with { FrontDoor = new FrontDoorState(IsOpen: false, failed.Problem) },
        Event.SessionsChanged changed => state with { Sessions = changed.Open },
        Event.OperatorRequested requested => OperatorRequests.Begin(IdleStop.Touch(state), requested.Kind),
        Event.ActivitySeen => IdleStop.Touch(state),
        _ => state,   // time passed
    };

    private static AgentState ApplyNewestImageEvent(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.TagResolved resolved when state.Tag.IsRunning => TagResolved(state, resolved.Resolution),
        Event.TagFailed failed when state.Tag.IsRunning =>
            state.WithJitter(jitter => state with { Tag = state.Tag.Fail(failed.Problem, state.Now, policy.Retry, jitter) }),
        Event.PullProgressed progressed when state.Image.IsRunning => state with
        {
            Pull = state.Pull with
            {
                Progress = progressed.Progress,
                Rate = PullRate.Next(state.Pull.Rate, state.Now, progressed.Progress.DownloadedBytes),
            },
        },
        Event.ImageReady ready when state.Image.IsRunning =>
            state.WithoutDefect(ready.Image.Digest) with { Image = state.Image.Succeed(ready.Image), Pull = PullState.None },
        Event.ImageFailed failed when state.Image.IsRunning => ImageFailed(state, failed.Problem, policy),
        _ => state,   // late: nothing waits for it any more
    };

    private static AgentState ApplyOldImageEvent(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.FallbackReady ready when state.Images.Fallback.IsRunning => FallbackReady(state, ready.Image),
        Event.FallbackFailed failed when state.Images.Fallback.IsRunning => FallbackFailed(state, failed.Problem, policy),
        Event.CleanupFinished finished when state.Images.Cleanup.IsRunning => CleanupFinished(state, finished.Result),
        // What could not be removed is removed after the next update: nothing waits for it.
        Event.CleanupFailed when state.Images.Cleanup.IsRunning =>
            CleanupFinished(state, new ImageCleanupResult(Removed: 0, FreedBytes: 0)),
        _ => state,   // late: nothing waits for it any more
    };

    private static AgentState ApplyResult(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.SecretsRead read when state.Secrets.IsRunning => state with { Secrets = state.Secrets.Succeed(read.Versions) },
        Event.SecretsFailed failed when state.Secrets.IsRunning =>
            state.WithJitter(jitter => state with { Secrets = state.Secrets.Fail(failed.Problem, state.Now, policy.Retry, jitter) }),
        Event.StateSaved saved when state.Saved.IsRunning => state with { Saved = state.Saved.Succeed(saved.Saved) },
        Event.SaveFailed failed when state.Saved.IsRunning =>
            state.WithJitter(jitter => state with { Saved = state.Saved.Fail(failed.Problem, state.Now, policy.Retry, jitter) }),
        _ => state,   // late: nothing waits for it any more
    };

    private static AgentState ApplyInstanceEvent(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.InstanceStopAccepted accepted when state.InstanceStop.IsRunning =>
            state with { InstanceStop = state.InstanceStop.Succeed(new StopAccepted(accepted.InstanceId, state.Now)) },
        Event.InstanceStopFailed failed when state.InstanceStop.IsRunning && policy.Idle is { } idle =>
            state.WithJitter(jitter => state with
            {
                InstanceStop = state.InstanceStop.Fail(failed.Problem, state.Now, idle.Retry, jitter),
            }),
        _ => state,   // late: nothing waits for it any more
    };

    private static AgentState ApplyEngineEvent(AgentState state, Event @event, Policy policy) => @event switch
    {
        Event.EngineInspected inspected when state.Engine.IsRunning => EngineInspected(state, inspected.Inventory, policy),
        Event.EngineFailed failed when state.Engine.IsRunning => InspectionFailed(state, failed.Problem, policy),
        Event.EngineChanged => state.RefreshEngineUnlessFailing(),
        Event.EngineDisconnected => FailureAttribution.EngineDisconnected(state).RefreshEngineUnlessFailing(),
        Event.ExternalStopRequested requested => FailureAttribution.ExternalStopRequested(state, requested.ContainerId),
        _ => state,   // late: nothing waits for it any more
    };

    private static AgentState EngineInspected(AgentState state, Inventory inventory, Policy policy)
    {
        var isOutdated = state.Engine.IsOutdated;
        var afterTrouble = state.Evidence.EngineDisconnected || state.Engine.Failures > 0;
        state = state with { Engine = state.Engine.Succeed(inventory) };
        if (isOutdated)
        {
            // It began before the last operation ended, and may show what was there before.
            return state;
        }
        state = Inspection.Apply(state, inventory, afterTrouble, policy);
        return state with { Evidence = state.Evidence with { EngineDisconnected = false } };
    }

    private static AgentState InspectionFailed(AgentState state, Problem problem, Policy policy)
    {
        state = NoteDisconnect(state, problem);
        return state.WithJitter(jitter => state with { Engine = state.Engine.Fail(problem, state.Now, policy.Retry, jitter) });
    }

    private static AgentState ApplyContainerEvent(AgentState state, Event @event, Policy policy)
    {
        var operation = @event switch
        {
            Event.ContainerStarted started => started.Operation,
            Event.StartFailed failed => failed.Operation,
            Event.ContainerStopped stopped => stopped.Operation,
            Event.StopFailed failed => failed.Operation,
            Event.Drained drained => drained.Operation,
            _ => (long?)null,
        };
        if (operation is not { } number || state.SlotOfOperation(number) is not { } slot)
        {
            return state;
        }
        return (@event, state.At(slot)) switch
        {
            (Event.ContainerStarted started, ContainerState.Starting starting) =>
                ContainerStarted(state, slot, starting, started.Container),
            (Event.StartFailed failed, ContainerState.Starting starting) => StartFailed(state, slot, starting, failed.Problem, policy),
            (Event.ContainerStopped, ContainerState.Stopping stopping) => ContainerStopped(state, slot, stopping, policy),
            (Event.StopFailed failed, ContainerState.Stopping stopping) => StopFailed(state, slot, stopping, failed.Problem, policy),
            (Event.Drained, ContainerState.Draining draining) =>
                state.With(slot, new ContainerState.Stopping(OperationNumber.NotDispatched, draining.Container, new StopReason.Retired())),
            _ => state,
        };
    }

    private static AgentState ContainerStarted(AgentState state, Slot slot, ContainerState.Starting starting, Container container)
    {
        var probing = ContainerState.Probing.Begin(container, state.Now, adopted: false);
        if (slot == Slot.Front)
        {
            state = state with { Images = state.Images with { LastRun = starting.Release.Image } };
        }
        return state.RefreshEngine().WithRun(container).With(slot, probing);
    }

    private static AgentState ContainerStopped(AgentState state, Slot slot, ContainerState.Stopping stopping, Policy policy)
    {
        state = state.RefreshEngine();
        state = state with { Evidence = state.Evidence with { FailedStops = 0 } };
        if (ContainerProblems.OfStop(stopping) is not { } problem)
        {
            return state.With(slot, null);
        }
        var failure = new Failure(state.Now, stopping.Container.ReleaseId, problem, null);
        return Failed(state, slot, stopping.Container.Image, failure, policy);
    }

    private static AgentState StopFailed(AgentState state, Slot slot, ContainerState.Stopping stopping, Problem problem, Policy policy)
    {
        if (stopping.Reason is StopReason.LeftOver && !IsSeenAlive(state, stopping.Container))
        {
            // It has ended and harms nobody. The next inspection is early enough.
            return state.With(slot, null);
        }
        // It may still run. Nothing is assumed; the engine is inspected after a delay.
        state = state with { Evidence = state.Evidence with { FailedStops = state.Evidence.FailedStops + 1 } };
        return EngineFailed(WithUnknown(state, slot), problem, policy);
    }

    private static AgentState TagResolved(AgentState state, Resolution resolution)
    {
        var moved = state.Tag.Value?.Image != resolution.Image;
        state = ImageTrial.TagMoved(state, resolution.Image);
        return state with
        {
            Tag = state.Tag.Succeed(resolution),
            // A pull of the previous digest continues, and its end leads to the newer one. A delay that it earned does not apply to this
            // one.
            Image = moved ? state.Image.Refresh() : state.Image,
            Failures = state.Failures with { OfCandidate = moved ? 0 : state.Failures.OfCandidate },
        };
    }

    private static AgentState ImageFailed(AgentState state, Problem problem, Policy policy)
    {
        if (problem.Kind == ProblemCatalog.ImageCorrupt && state.Tag.Value is { } tag)
        {
            // The broken image is in the way of an intact one: the next try removes it first.
            state = state.WithDefect(new ImageDefect(tag.Image, IsCorrupt: true));
        }
        state = state.WithJitter(jitter => state with
        {
            Image = state.Image.Fail(problem, state.Now, policy.PullRetry, jitter),
            Pull = PullState.None,
        });
        return CleanUpIfDiskFull(state, problem);
    }

    private static AgentState FallbackReady(AgentState state, ImageName image)
    {
        state = state.WithoutDefect(image.Digest);
        return WithFallback(state, state.Images.Fallback.Succeed(image)).RefreshEngine();
    }

    private static AgentState FallbackFailed(AgentState state, Problem problem, Policy policy)
    {
        state = state.WithJitter(jitter => WithFallback(state, state.Images.Fallback.Fail(problem, state.Now, policy.PullRetry, jitter)));
        if (Housekeeping.WantedFallback(state) is not { } wanted || state.Front.Current?.Image == wanted)
        {
            return state;   // an image that serves is not given up
        }
        // Either the registry no longer has it, or clients would wait too long for it: there is nothing to go back to.
        var isGone = problem.Kind == ProblemCatalog.RegistryTagMissing;
        var takesTooLong = state.Images.Fallback.Failures >= policy.StaleAfterFailures && state.IsDefective(wanted);
        return isGone || takesTooLong ? ImageTrial.DropGood(WithFallback(state, Fetched<ImageName>.Idle), wanted) : state;
    }

    private static AgentState WithFallback(AgentState state, Fetched<ImageName> fallback) =>
        state with { Images = state.Images with { Fallback = fallback } };

    private static AgentState CleanupFinished(AgentState state, ImageCleanupResult result)
    {
        var madeRoom = result.Removed > 0 && state.Image.Problem?.Kind.Retry == ProblemRetry.AfterCleanup;
        return state with
        {
            Images = state.Images with { Cleanup = state.Images.Cleanup.Succeed(result) },
            Image = madeRoom ? state.Image.Refresh() : state.Image,
        };
    }

    private static AgentState StartFailed(AgentState state, Slot slot, ContainerState.Starting starting, Problem problem, Policy policy)
    {
        var image = starting.Release.Image;
        if (problem.Kind.Retry == ProblemRetry.AfterInspection)
        {
            return EngineFailed(WithUnknown(state, slot), problem, policy);
        }
        if (problem.Kind.Retry == ProblemRetry.AfterFetch)
        {
            state = FetchAgain(state, new ImageDefect(image, IsCorrupt: problem.Kind == ProblemCatalog.ImageCorrupt));
        }
        state = CleanUpIfDiskFull(state, problem);
        state = FailureHandling.Strike(state.RefreshEngine(), image, problem, policy);
        return Failed(state, slot, image, new Failure(state.Now, starting.Release.Id, problem, null), policy);
    }

    private static AgentState FetchAgain(AgentState state, ImageDefect defect)
    {
        var isNewest = state.Tag.Value?.Image == defect.Image;
        state = state.WithDefect(defect);
        return state with
        {
            Image = isNewest ? state.Image.Forget() : state.Image,
            Images = state.Images with
            {
                LastRun = state.Images.LastRun == defect.Image ? null : state.Images.LastRun,
                Fallback = isNewest ? state.Images.Fallback : state.Images.Fallback.Refresh(),
            },
        };
    }

    private static AgentState Failed(AgentState state, Slot slot, ImageName? image, Failure failure, Policy policy) => slot == Slot.Front
        ? FailureHandling.FrontFailed(state, image, failure, ranFor: TimeSpan.Zero, policy)
        : FailureHandling.CandidateFailed(state, image, failure, policy);

    private static bool IsSeenAlive(AgentState state, Container container) =>
        state.Engine.Value?.Containers.Any(seen => seen.Id == container.Id && seen.IsAlive) == true;

    /// <summary>The engine did not say whether it did what it was asked. The next inspection tells what is in the slot.</summary>
    private static AgentState WithUnknown(AgentState state, Slot slot) =>
        state.With(slot, slot == Slot.Front ? new ContainerState.Unknown() : null);

    private static AgentState EngineFailed(AgentState state, Problem problem, Policy policy)
    {
        state = NoteDisconnect(state, problem);
        var failures = Math.Max(1, state.Evidence.FailedStops);
        return state.WithJitter(jitter => state with
        {
            Engine = state.Engine.FailIndirectly(problem, state.Now, policy.Retry, jitter, failures),
        });
    }

    private static AgentState NoteDisconnect(AgentState state, Problem problem) =>
        problem.Kind == ProblemCatalog.EngineUnreachable ? FailureAttribution.EngineDisconnected(state) : state;

    private static AgentState CleanUpIfDiskFull(AgentState state, Problem problem) => problem.Kind.Retry == ProblemRetry.AfterCleanup
        ? state with { Images = state.Images with { Cleanup = state.Images.Cleanup.Refresh() } }
        : state;
}
