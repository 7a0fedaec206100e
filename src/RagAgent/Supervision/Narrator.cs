using Microsoft.Extensions.Logging;

namespace RagAgent.Supervision;

/// <summary>Tells what changed between two states: one line for one change, none for a change of nothing.</summary>
internal sealed class Narrator(ILogger<Supervisor> logger, Policy policy)
{
    private bool _couldNotAsk;

    /// <summary>The agent ends before a start that is under way.</summary>
    public void TellCut() => logger.StartCut();

    public void Tell(AgentState before, AgentState after, Event e)
    {
        TellNews(before, e);
        TellInputs(before, after);
        if (before.App != after.App || before.Beside != after.Beside)
        {
            TellFront(before, after);
            TellBeside(before, after);
        }
        if (after.LastFailure is { } failure && failure != before.LastFailure)
        {
            TellFailure(after, failure);
        }
        TellVerdict(before, after);
        TellIdle(before, after);
        TellRequests(before, after);
    }

    private void TellNews(AgentState before, Event e)
    {
        switch (e)
        {
            case Event.Asked asked:
                logger.Asked(Words.Command(asked.Kind));
                break;
            case Event.ImagesCollected { Collection: { Removed: > 0 } gone }:
                logger.ImagesRemoved(gone.Removed, Words.Bytes(gone.FreedBytes));
                break;
            case Event.CollectFailed failed:
                logger.ImagesStay(failed.Problem);
                break;
            case Event.Drained { Left: > 0 } drained when before.Beside is App.Draining old:
                logger.DrainedLate(old.Container.ShortId, drained.Left, Words.Span(policy.Drain));
                break;
            case Event.Probed { Result: ProbeResult.NotAsked notAsked } when !_couldNotAsk:
                _couldNotAsk = true;
                logger.CouldNotAsk(notAsked.Fault);
                break;
            case Event.Probed { Result: not ProbeResult.NotAsked }:
                _couldNotAsk = false;
                break;
        }
    }

    private void TellInputs(AgentState before, AgentState after)
    {
        if (after.Door.Problem is { } closed && closed != before.Door.Problem)
        {
            logger.DoorIsClosed(closed);
        }
        Troubles("The engine answers", before.Engine, after.Engine);
        Troubles("Secrets are read", before.Secrets, after.Secrets);
        Troubles("The registry answers", before.Tag, after.Tag);
        Troubles("The image is on disk", before.Image, after.Image);
        Troubles("The image to go back to is on disk", before.Spare, after.Spare);
        Troubles("The state file is written", before.Written, after.Written);
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
            logger.TagResolved(tag.Reference, Words.Digest(tag.Image.Digest));
        }
        TellPull(before, after);
    }

    /// <summary>A problem is told when it begins and when its words change, not at every try; its end is told once.</summary>
    private void Troubles<T>(string what, Tracked<T> before, Tracked<T> after)
        where T : class
    {
        if (after.Problem is { } problem && problem != before.Problem)
        {
            logger.WentWrong(problem);
        }
        else if (before is { Problem: not null, Failures: var failures } && after.Problem is null && after.Work is Work.Idle)
        {
            logger.Recovered(what, failures, failures == 1 ? "try" : "tries");
        }
    }

    private void TellPull(AgentState before, AgentState after)
    {
        var reference = after.Tag.Value?.Reference ?? "the image";
        if (after.Progress is { } progress)
        {
            if (before.Progress is not { } earlier)
            {
                logger.PullBegins(reference, Words.Bytes(progress.TotalBytes));
            }
            else if (progress.Percent / 25 > earlier.Percent / 25 && progress.Percent < 100)
            {
                logger.PullProgressed(reference, progress.Percent / 25 * 25);
            }
        }
        if (after.Image.Value is { } image && image != before.Image.Value && before.Image.Work is Work.Running run)
        {
            if (image.Pulled > 0)
            {
                logger.ImagePulled(Words.Digest(image.Digest), Words.Bytes(image.Pulled), Words.Span(after.Now - run.Since));
            }
            else
            {
                logger.ImageThere(Words.Digest(image.Digest));
            }
        }
    }

    private void TellFront(AgentState before, AgentState after)
    {
        switch (before.App, after.App)
        {
            case (not App.Starting, App.Starting s) when before.Beside is not App.Starting:
                if (Target.Desired(after, policy) is null)
                {
                    logger.ContainerStartingStale(Words.Digest(s.Release.Image.Digest),
                        (after.Tag.Problem ?? after.Image.Problem) is not null ? "the newest can't be had" : after.Tag.Value is null ? "what the newest is, is still being asked" : "the newest is still being fetched");
                }
                else
                {
                    logger.ContainerStarting(s.Release.Id, Words.Digest(s.Release.Image.Digest));
                }
                break;
            case (App.Starting, App.Probing p):
                logger.ContainerRuns(p.Container.ShortId);
                break;
            case (not App.Probing, App.Probing { Adopted: true } p):
                logger.ContainerAdopted(p.Container.ShortId, p.Container.ReleaseId ?? "unknown");
                break;
            case (App.Probing p, App.Serving v):
                logger.ContainerServes(v.Container.ShortId, v.Container.ReleaseId ?? "unknown",
                    Words.Digest(v.Container.Image?.Digest ?? "unknown"), Words.Span(v.Since - p.Since));
                break;
            case (App.Serving b, App.Serving a) when a.Container.Id != b.Container.Id:
                logger.Swapped(a.Container.ShortId, b.Container.ShortId, Words.Digest(a.Container.Image?.Digest ?? "unknown"));
                break;
            // Beyond its patience nothing new is told: it is kept only because the engine is away.
            case (App.Serving b, App.Serving a) when a.Failures > b.Failures && a.Failures <= Probing.Patience(a, policy):
                logger.LivenessFailed(a.Container.ShortId, a.Container.Status == ContainerStatus.Paused ? "somebody has paused it" : a.LastFault ?? "no answer", a.UnderPressure ? " The machine itself is short of something, so more patience is due." : "");
                break;
            case (App.Serving { Failures: > 0 }, App.Serving { Failures: 0 } a):
                logger.LivenessRecovered(a.Container.ShortId);
                break;
            case (not App.Stopping, App.Stopping s):
                logger.ContainerStopping(s.Container.ShortId, Why(s.Reason));
                break;
        }
        if (after.Hold == Hold.Hand && before.Hold is null)
        {
            logger.StoppedByHand();
        }
    }

    private void TellBeside(AgentState before, AgentState after)
    {
        switch (before.Beside, after.Beside)
        {
            case (not App.Starting, App.Starting s):
                logger.CandidateStarting(s.Release.Id, Words.Digest(s.Release.Image.Digest));
                break;
            case (not App.Probing, App.Probing p):
                logger.CandidateRuns(p.Container.ShortId);
                break;
            case (not App.Stopping, App.Stopping { Reason: StopReason.LeftOver } s):
                logger.LeftOverRemoved(s.Container.ShortId);
                break;
            case (not App.Stopping, App.Stopping s):
                logger.ContainerStopping(s.Container.ShortId, s.Reason is StopReason.Replaced ? "it is not wanted any more" : Why(s.Reason));
                break;
        }
    }

    private void TellVerdict(AgentState before, AgentState after)
    {
        if (!after.Good.SequenceEqual(before.Good) && after.Good.FirstOrDefault() is { } good && good != before.Good.FirstOrDefault())
        {
            logger.IsGood(Words.Digest(good.Digest));
        }
        if (after.Verdict == before.Verdict)
        {
            return;
        }
        switch (after.Verdict)
        {
            case Verdict.RolledBack { Asked: true } back when before.Verdict is not Verdict.RolledBack:
                logger.RolledBackAsAsked(Words.Digest(back.Image.Digest), Words.Digest(Rollout.Fallback(after)?.Digest ?? "unknown"));
                break;
            case Verdict.RolledBack back when before.Verdict is not Verdict.RolledBack:
                logger.RolledBack(Words.Digest(back.Image.Digest), back.Why.What, Words.Digest(Rollout.Fallback(after)?.Digest ?? "unknown"));
                break;
            case Verdict.Quarantined bad when before.Verdict is not null:
                logger.Quarantined(Words.Digest(bad.Image.Digest));
                break;
            case Verdict.Undecided open:
                logger.Undecided(Words.Digest(open.Image.Digest));
                break;
            case Verdict.OnTrial again when before.Verdict is { Avoids: true }:
                logger.TriedAgain(Words.Digest(again.Image.Digest));
                break;
            case null when before.Verdict is { Avoids: true } old:
                logger.Released(Words.Digest(old.Image.Digest));
                break;
        }
    }

    private void TellIdle(AgentState before, AgentState after)
    {
        if (policy.Idle is not { } idle)
        {
            return;
        }
        if (after.Idle.QuietNotice is { } told && told != before.Idle.QuietNotice)
        {
            logger.NobodyComes(Words.Span(idle.StopAfter ?? TimeSpan.Zero), Words.Span(idle.Notice));
        }
        else if (before.Idle.QuietNotice is not null && after.Idle.QuietNotice is null)
        {
            logger.SomebodyCame();
        }
        if (after.Idle.UptimeNotice is not null && before.Idle.UptimeNotice is null)
        {
            logger.UpForTooLong(Words.Span(idle.MaxUptime ?? TimeSpan.Zero), Words.Span(idle.UptimeNotice));
        }
        Troubles("EC2 stops the instance", before.InstanceStop, after.InstanceStop);
        if (after.InstanceStop.Value is { } accepted && accepted != before.InstanceStop.Value)
        {
            logger.InstanceStops(accepted.InstanceId);
        }
    }

    private void TellFailure(AgentState after, Failure failure)
    {
        var waiting = after.App as App.BackingOff ?? after.Beside as App.BackingOff;
        var next = waiting is null ? "" : $" Next start in {Words.Span(waiting.Until - after.Now)}.";
        if (after.Crashes >= policy.CrashLoopAfter && !Failures.IsOfTheApp(failure.Problem))
        {
            logger.StartsFail(failure.Problem, after.Crashes, next);
        }
        else if (after.Crashes >= policy.CrashLoopAfter)
        {
            logger.CrashLooping(failure.Problem, after.Crashes, next);
        }
        else
        {
            logger.ContainerFailed(failure.Problem, next);
        }
        // Its last lines stand above already, as all that it writes.
    }

    private void TellRequests(AgentState before, AgentState after)
    {
        if (Waits(after) && !Waits(before))
        {
            logger.UpdateWaits(after.Sessions);
        }
        if (after.LastOutcome is { } outcome && outcome != before.LastOutcome)
        {
            switch (outcome)
            {
                case { Problem: { } problem }:
                    logger.RequestFailed(Words.Command(outcome.Kind), problem);
                    break;
                case { Kind: RequestKind.Stop }:
                    logger.Stopped();
                    break;
                case { Changed: true }:
                    logger.RequestDone(Words.Command(outcome.Kind), Words.Digest(outcome.Digest ?? "unknown"));
                    break;
                default:
                    logger.NothingChanged(Words.Command(outcome.Kind), Words.Digest(outcome.Digest ?? "unknown"));
                    break;
            }
        }
    }

    private bool Waits(AgentState s) =>
        s.App is App.Serving v && s.Sessions > 0 && s.Beside is null && Target.Desired(s, policy) is { } desired && desired.Id != v.Container.ReleaseId;

    private static string Why(StopReason reason) => reason switch
    {
        StopReason.Replaced => "another release takes its place",
        StopReason.Unhealthy u => $"it failed {u.Failures} liveness probes in a row",
        StopReason.NeverHealthy n => $"it was not well within {Words.Span(n.Deadline)}",
        StopReason.RestartedByOther => "it was restarted by someone else, without its secrets",
        StopReason.Asked => "an operator wants it stopped",
        StopReason.Retired => "another one serves in its place",
        StopReason.Stray => "it is a second one, and two must not write to the same data",
        _ => reason.GetType().Name,
    };
}
