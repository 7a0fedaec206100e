using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>Logs what changed between two states: one line per change.</summary>
internal sealed class StateChangeLog(ILogger<Supervisor> logger, Policy policy) : IStateObserver
{
    private bool _probesBlocked;

    /// <summary>The agent exits during a start.</summary>
    public void StartAbandoned() => logger.StartCut();

    public void Changed(AgentState before, AgentState after, Event @event)
    {
        LogEvent(before, @event);
        LogInputs(before, after);
        if (before.Front != after.Front || before.Candidate != after.Candidate)
        {
            LogFront(before, after);
            LogCandidate(before, after);
            LogPorts(before.Front, after.Front);
            LogPorts(before.Candidate, after.Candidate);
        }
        if (after.Failures.Last is { } failure && failure != before.Failures.Last)
        {
            LogFailure(after, failure);
        }
        LogSession(before.Front, after.Front);
        LogSession(before.Candidate, after.Candidate);
        LogVerdict(before, after);
        LogIdle(before, after);
        LogRequests(before, after);
    }

    private void LogEvent(AgentState before, Event @event)
    {
        switch (@event)
        {
            case Event.OperatorRequested asked:
                logger.Asked(asked.Kind.CommandName());
                break;
            case Event.CleanupFinished { Result: { Removed: > 0 } cleanup }:
                logger.ImagesRemoved(cleanup.Removed, Humanize.Bytes(cleanup.FreedBytes));
                break;
            case Event.CleanupFailed failed:
                logger.ImagesStay(failed.Problem);
                break;
            case Event.Drained { Remaining: > 0 } drained when before.Candidate is ContainerState.Draining old:
                logger.DrainedLate(old.Container.ShortId, drained.Remaining, Humanize.Duration(policy.DrainTimeout));
                break;
            case Event.Probed { Result: ProbeResult.NotSent notSent } when !_probesBlocked:
                _probesBlocked = true;
                logger.CouldNotAsk(notSent.Error);
                break;
            case Event.Probed { Result: not ProbeResult.NotSent }:
                _probesBlocked = false;
                break;
        }
    }

    private void LogInputs(AgentState before, AgentState after)
    {
        if (after.FrontDoor.Problem is { } closed && closed != before.FrontDoor.Problem)
        {
            logger.DoorIsClosed(closed);
        }
        LogProblem("The engine answers", before.Engine, after.Engine);
        LogProblem("Secrets are read", before.Secrets, after.Secrets);
        LogProblem("The registry answers", before.Tag, after.Tag);
        LogProblem("The image is on disk", before.Image, after.Image);
        LogProblem("The image to roll back to is on disk", before.Images.Fallback, after.Images.Fallback);
        LogProblem("The state file is written", before.Saved, after.Saved);
        if (after.Engine.Value is { } engine && engine.EngineVersion != before.Engine.Value?.EngineVersion)
        {
            logger.EngineAnswers(engine.EngineVersion);
        }
        if (after.Secrets.Value is { } secrets && secrets.Fingerprint != before.Secrets.Value?.Fingerprint)
        {
            if (secrets.Versions.Count > 0)
            {
                logger.SecretsRead(string.Join(", ", secrets.Versions));
            }
            foreach (var warning in secrets.Warnings)
            {
                logger.SecretsWarning(warning);
            }
        }
        if (after.Tag.Value is { } tag && tag.Image != before.Tag.Value?.Image)
        {
            logger.TagResolved(tag.Reference, Humanize.Digest(tag.Image.Digest));
        }
        LogPull(before, after);
    }

    /// <summary>A problem is logged when it begins and when its text changes, not at every try. Its end is logged once.</summary>
    private void LogProblem<T>(string what, Fetched<T> before, Fetched<T> after)
        where T : class
    {
        if (after.Problem is { } problem && problem != before.Problem)
        {
            logger.WentWrong(problem);
        }
        else if (before is { Problem: not null, Failures: var failures } && after.Problem is null && after.State is FetchState.Idle)
        {
            logger.Recovered(what, failures, failures == 1 ? "try" : "tries");
        }
    }

    private void LogPull(AgentState before, AgentState after)
    {
        var reference = after.Tag.Value?.Reference ?? "the image";
        if (after.Pull.Progress is { } progress)
        {
            if (before.Pull.Progress is not { } earlier)
            {
                logger.PullBegins(reference, Humanize.Bytes(progress.TotalBytes));
            }
            else if (progress.Percent / 25 > earlier.Percent / 25 && progress.Percent < 100)
            {
                logger.PullProgressed(reference, progress.Percent / 25 * 25);
            }
        }
        if (after.Image.Value is { } image && image != before.Image.Value && before.Image.State is FetchState.Running run)
        {
            if (image.PulledBytes > 0)
            {
                logger.ImagePulled(
                    Humanize.Digest(image.Digest), Humanize.Bytes(image.PulledBytes), Humanize.Duration(after.Now - run.Since));
            }
            else
            {
                logger.ImageThere(Humanize.Digest(image.Digest));
            }
        }
    }

    private void LogFront(AgentState before, AgentState after)
    {
        switch (before.Front, after.Front)
        {
            case (not ContainerState.Starting, ContainerState.Starting starting) when before.Candidate is not ContainerState.Starting:
                if (DesiredRelease.Of(after, policy) is null)
                {
                    logger.ContainerStartingStale(Humanize.Digest(starting.Release.Image.Digest), WhyNotNewest(after));
                }
                else
                {
                    logger.ContainerStarting(starting.Release.Id, Humanize.Digest(starting.Release.Image.Digest));
                }
                break;
            case (ContainerState.Starting, ContainerState.Probing probing):
                logger.ContainerRuns(probing.Container.ShortId);
                break;
            case (not ContainerState.Probing, ContainerState.Probing { Adopted: true } probing):
                logger.ContainerAdopted(probing.Container.ShortId, probing.Container.ReleaseId ?? "unknown");
                break;
            case (ContainerState.Probing probing, ContainerState.Serving serving):
                logger.ContainerServes(serving.Container.ShortId, serving.Container.ReleaseId ?? "unknown",
                    Humanize.Digest(serving.Container.Image?.Digest ?? "unknown"), Humanize.Duration(serving.Since - probing.Since));
                break;
            case (ContainerState.Serving old, ContainerState.Serving current) when current.Container.Id != old.Container.Id:
                logger.Swapped(
                    current.Container.ShortId, old.Container.ShortId, Humanize.Digest(current.Container.Image?.Digest ?? "unknown"));
                break;
            // Past the threshold there is nothing new to report: the container is kept only because the engine is unreachable.
            case (ContainerState.Serving old, ContainerState.Serving current)
                when current.Failures > old.Failures && current.Failures <= Probing.FailureThreshold(current, policy):
                logger.LivenessFailed(
                    current.Container.ShortId,
                    current.Container.Status == ContainerStatus.Paused ? "it is paused" : current.LastError ?? "no answer",
                    current.UnderPressure ? " The machine is short of resources, so more failures are tolerated." : "");
                break;
            case (ContainerState.Serving { Failures: > 0 }, ContainerState.Serving { Failures: 0 } serving):
                logger.LivenessRecovered(serving.Container.ShortId);
                break;
            case (not ContainerState.Stopping, ContainerState.Stopping stopping):
                logger.ContainerStopping(stopping.Container.ShortId, Describe(stopping.Reason));
                break;
        }
        if (after.Hold == StopHold.DockerStop && before.Hold is null)
        {
            logger.StoppedByHand();
        }
    }

    private void LogPorts(ContainerState? before, ContainerState? after)
    {
        if (PortProblem.Of(after, policy) is { } problem && problem != PortProblem.Of(before, policy))
        {
            logger.WrongPort(problem);
        }
    }

    private void LogCandidate(AgentState before, AgentState after)
    {
        switch (before.Candidate, after.Candidate)
        {
            case (not ContainerState.Starting, ContainerState.Starting starting):
                logger.CandidateStarting(starting.Release.Id, Humanize.Digest(starting.Release.Image.Digest));
                break;
            case (not ContainerState.Probing, ContainerState.Probing probing):
                logger.CandidateRuns(probing.Container.ShortId);
                break;
            case (not ContainerState.Stopping, ContainerState.Stopping { Reason: StopReason.LeftOver } stopping):
                logger.LeftOverRemoved(stopping.Container.ShortId);
                break;
            case (not ContainerState.Stopping, ContainerState.Stopping stopping):
                var reason = stopping.Reason is StopReason.Replaced ? "it is no longer needed" : Describe(stopping.Reason);
                logger.ContainerStopping(stopping.Container.ShortId, reason);
                break;
        }
    }

    private void LogSession(ContainerState? before, ContainerState? after)
    {
        switch (before, after)
        {
            case (_, ContainerState.Probing { Session: { } failed } probing)
                when failed.Count != (before as ContainerState.Probing)?.Session?.Count:
                logger.SessionFailed(ContainerProblems.SessionFailed(probing.Container, failed.Error));
                break;
            case (not ContainerState.Serving, ContainerState.Serving { SessionError: { } error } serving):
                logger.ServesDespiteFailedSession(ContainerProblems.SessionFailed(serving.Container, error));
                break;
            case (not ContainerState.Serving, ContainerState.Serving { Session: SessionReading.Unreadable } serving):
                logger.SessionUnreadable(serving.Container.ShortId);
                break;
        }
    }

    private void LogVerdict(AgentState before, AgentState after)
    {
        if (after.Images.KnownGood.FirstOrDefault() is { } good && good != before.Images.KnownGood.FirstOrDefault())
        {
            logger.IsGood(Humanize.Digest(good.Digest));
        }
        if (after.Images.Verdict == before.Images.Verdict)
        {
            return;
        }
        switch (after.Images.Verdict)
        {
            case Verdict.RolledBack { ByOperator: true } back when before.Images.Verdict is not Verdict.RolledBack:
                logger.RolledBackAsAsked(Humanize.Digest(back.Image.Digest), Humanize.Digest(ImageTrial.Fallback(after)?.Digest ?? "unknown"));
                break;
            case Verdict.RolledBack back when before.Images.Verdict is not Verdict.RolledBack:
                logger.RolledBack(
                    Humanize.Digest(back.Image.Digest), back.Cause.What, Humanize.Digest(ImageTrial.Fallback(after)?.Digest ?? "unknown"));
                break;
            case Verdict.Quarantined bad when before.Images.Verdict is not null:
                logger.Quarantined(Humanize.Digest(bad.Image.Digest));
                break;
            case Verdict.Undecided open:
                logger.Undecided(Humanize.Digest(open.Image.Digest));
                break;
            case Verdict.OnTrial again when before.Images.Verdict is { IsAvoided: true }:
                logger.TriedAgain(Humanize.Digest(again.Image.Digest));
                break;
            case null when before.Images.Verdict is { IsAvoided: true } old:
                logger.Released(Humanize.Digest(old.Image.Digest));
                break;
        }
    }

    private void LogIdle(AgentState before, AgentState after)
    {
        if (policy.Idle is not { } idle)
        {
            return;
        }
        if (after.Idle.IdleNoticeAt is { } told && told != before.Idle.IdleNoticeAt)
        {
            logger.NobodyComes(Humanize.Duration(idle.StopAfter ?? TimeSpan.Zero), Humanize.Duration(idle.Notice));
        }
        else if (before.Idle.IdleNoticeAt is not null && after.Idle.IdleNoticeAt is null)
        {
            logger.SomebodyCame();
        }
        if (after.Idle.UptimeNoticeAt is not null && before.Idle.UptimeNoticeAt is null)
        {
            logger.UpForTooLong(Humanize.Duration(idle.MaxUptime ?? TimeSpan.Zero), Humanize.Duration(idle.UptimeNotice));
        }
        LogProblem("EC2 stops the instance", before.InstanceStop, after.InstanceStop);
        if (after.InstanceStop.Value is { } accepted && accepted != before.InstanceStop.Value)
        {
            logger.InstanceStops(accepted.InstanceId);
        }
    }

    private void LogFailure(AgentState after, Failure failure)
    {
        var waiting = after.Front as ContainerState.BackingOff ?? after.Candidate as ContainerState.BackingOff;
        var next = waiting is null ? "" : $" Next start in {Humanize.Duration(waiting.Until - after.Now)}.";
        if (after.Failures.Crashes >= policy.CrashLoopThreshold && !failure.Problem.Kind.IsAppFailure)
        {
            logger.StartsFail(failure.Problem, after.Failures.Crashes, next);
        }
        else if (after.Failures.Crashes >= policy.CrashLoopThreshold)
        {
            logger.CrashLooping(failure.Problem, after.Failures.Crashes, next);
        }
        else
        {
            logger.ContainerFailed(failure.Problem, next);
        }
        // The journal already has its last lines, with the rest of its output.
    }

    private void LogRequests(AgentState before, AgentState after)
    {
        var inUse = SessionUse.Count(after, after.Now, policy);
        if (after.UpdateWaitsSince is not null && before.UpdateWaitsSince is null)
        {
            logger.UpdateWaits(inUse, after.Sessions.Count, Humanize.Duration(policy.WaitAtMost));
        }
        if (SessionUse.IsOverdue(after, policy) && !SessionUse.IsOverdue(before, policy))
        {
            logger.UpdateWaitedEnough(Humanize.Duration(policy.WaitAtMost), inUse, after.Sessions.Count);
        }
        if (after.Requests.LastOutcome is { } outcome && outcome != before.Requests.LastOutcome)
        {
            switch (outcome)
            {
                case { Problem: { } problem }:
                    logger.RequestFailed(outcome.Kind.CommandName(), problem);
                    break;
                case { Kind: RequestKind.Stop }:
                    logger.Stopped();
                    break;
                case { Changed: true }:
                    logger.RequestDone(outcome.Kind.CommandName(), Humanize.Digest(outcome.Digest ?? "unknown"));
                    break;
                default:
                    logger.NothingChanged(outcome.Kind.CommandName(), Humanize.Digest(outcome.Digest ?? "unknown"));
                    break;
            }
        }
    }

    private static string WhyNotNewest(AgentState state) => state switch
    {
        { Tag.Problem: not null } or { Image.Problem: not null } => "the newest can't be fetched",
        { Tag.Value: null } => "the newest is not known yet",
        _ => "the newest is still being pulled",
    };

    private static string Describe(StopReason reason) => reason switch
    {
        StopReason.Replaced => "another release replaces it",
        StopReason.Unhealthy unhealthy => $"it failed {unhealthy.Failures} liveness probes in a row",
        StopReason.NeverHealthy never => $"it was not healthy within {Humanize.Duration(never.Deadline)}",
        StopReason.SessionFailed => "its page fails",
        StopReason.RestartedByOther => "someone else restarted it, so it has no secrets",
        StopReason.Requested => "an operator requested it",
        StopReason.Retired => "another container has replaced it",
        StopReason.Stray => "two containers must not write to the same data",
        StopReason.LeftOver => "it has exited, and another one is running",
        _ => "no reason was recorded",
    };
}
