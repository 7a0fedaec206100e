using Microsoft.Extensions.Logging;

namespace RagAgent.Supervision;

/// <summary>Tells what changed between two states: one line for one change, none for a change of nothing.</summary>
internal sealed class Narrator(ILogger<Supervisor> logger, Policy policy)
{
    /// <summary>The agent ends before a start that is under way.</summary>
    public void TellCut() => logger.StartCut();

    public void Tell(AgentState before, AgentState after, Event e)
    {
        if (e is Event.UpdateAsked)
        {
            logger.UpdateAsked();
        }
        TellInputs(before, after);
        if (before.App != after.App)
        {
            TellApp(before, after);
        }
        TellUpdates(before, after);
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
            logger.Recovered(what, failures);
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

    private void TellApp(AgentState before, AgentState after)
    {
        switch (before.App, after.App)
        {
            case (_, App.Starting s) when before.App is not App.Starting:
                if (Planner.Desired(after, policy) is null)
                {
                    logger.ContainerStartingStale(Words.Digest(s.Release.Image.Digest));
                }
                else
                {
                    logger.ContainerStarting(s.Release.Id, Words.Digest(s.Release.Image.Digest));
                }
                break;
            case (App.Starting, App.Probing p):
                logger.ContainerRuns(p.Container.ShortId);
                break;
            case (not App.Probing, App.Probing p):
                logger.ContainerAdopted(p.Container.ShortId, p.Container.ReleaseId ?? "unknown");
                break;
            case (App.Probing p, App.Serving v):
                logger.ContainerServes(v.Container.ShortId, v.Container.ReleaseId ?? "unknown",
                    Words.Digest(v.Container.Image?.Digest ?? "unknown"), Words.Span(v.Since - p.Since));
                break;
            case (App.Serving b, App.Serving a) when a.Failures > b.Failures:
                logger.LivenessFailed(a.Container.ShortId, a.LastFault ?? "no answer");
                break;
            case (App.Serving { Failures: > 0 }, App.Serving { Failures: 0 } a):
                logger.LivenessRecovered(a.Container.ShortId);
                break;
            case (not App.Stopping, App.Stopping s):
                logger.ContainerStopping(s.Container.ShortId, Why(s.Reason));
                break;
        }
        if (after.LastFailure is { } failure && failure != before.LastFailure)
        {
            TellFailure(after, failure);
        }
    }

    private void TellFailure(AgentState after, Failure failure)
    {
        var delay = after.App is App.BackingOff waiting ? Words.Span(waiting.Until - after.Now) : "no time";
        if (after.Crashes >= policy.CrashLoopAfter)
        {
            logger.CrashLooping(failure.Problem, after.Crashes, delay);
        }
        else
        {
            logger.ContainerFailed(failure.Problem, delay);
        }
        foreach (var line in failure.LastLines)
        {
            logger.LastLine(line);
        }
    }

    private void TellUpdates(AgentState before, AgentState after)
    {
        if (Waits(after) && !Waits(before))
        {
            logger.UpdateWaits(after.Sessions);
        }
        if (after.LastUpdate is { } outcome && outcome != before.LastUpdate)
        {
            switch (outcome)
            {
                case { Problem: { } problem }:
                    logger.UpdateFailed(problem);
                    break;
                case { Changed: true }:
                    logger.UpdateDone(Words.Digest(outcome.Digest ?? "unknown"));
                    break;
                default:
                    logger.UpdateFoundNothing(Words.Digest(outcome.Digest ?? "unknown"));
                    break;
            }
        }
    }

    private bool Waits(AgentState s) =>
        s.App is App.Serving v && s.Sessions > 0 && Planner.Desired(s, policy) is { } desired && desired.Id != v.Container.ReleaseId;

    private static string Why(StopReason reason) => reason switch
    {
        StopReason.Replaced => "another release takes its place",
        StopReason.Unhealthy u => $"it failed {u.Failures} liveness probes in a row",
        StopReason.NeverHealthy n => $"it was not well within {Words.Span(n.Deadline)}",
        StopReason.RestartedByOther => "it was restarted by someone else, without its secrets",
        StopReason.Stray => "it is a second one, and two must not write to the same data",
        _ => reason.GetType().Name,
    };
}
