using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>Turns the state into the document that people and scripts read.</summary>
internal sealed class StatusWriter(AgentConfig config, Policy policy, StateBoard board, AgentClock clock)
{
    public StatusDocument Write()
    {
        var (revision, s) = board.Read();
        return new StatusDocument(
            AgentVersion.Short,
            revision,
            Headline.Of(s, policy),
            App(s),
            new ImageStatus(s.Tag.Value?.Reference ?? config.Image, s.Tag.Value?.Image.Digest, s.Tag.Value?.TagDigest, Wall(s.Tag.ReadAt), Wall(s.NextCheck),
                s.Progress is { } p ? new PullStatus(p.Percent, p.DownloadedBytes, p.TotalBytes) : null),
            new SecretsStatus(s.Secrets.Value?.Versions ?? [], Wall(s.Secrets.ReadAt)),
            new EngineStatus(s.Engine.Value?.EngineVersion, s.EngineAnswers),
            new FrontDoorStatus(config.Listen.Http, s.Door.IsOpen),
            new UpdateStatus(s.Update?.Id, s.LastUpdate is { } u ? new UpdateResult(u.Id, u.Changed, u.Digest, u.Problem is { } why ? Problem(why, null) : null) : null),
            s.LastFailure is { } f ? new FailureStatus(clock.WallTime(f.At), f.ReleaseId, Problem(f.Problem, null), f.LastLines) : null,
            [.. Problems(s)]);
    }

    private AppStatus App(AgentState s)
    {
        var container = s.App.Current;
        var digest = container?.Image?.Digest;
        return new AppStatus(
            Name(s.App),
            Wall((s.App as App.Serving)?.Since),
            container?.ShortId,
            container?.ReleaseId,
            digest,
            s.Tag.Value is { } tag && digest is not null ? tag.Image.Digest == digest : null,
            s.Crashes,
            s.Crashes >= policy.CrashLoopAfter,
            s.Sessions,
            Wall((s.App as App.BackingOff)?.Until));
    }

    private static string Name(App app) => app switch
    {
        Supervision.App.Absent => "absent",
        Supervision.App.Starting or Supervision.App.Probing => "starting",
        Supervision.App.Serving { Failures: 0 } => "serving",
        Supervision.App.Serving => "unhealthy",
        Supervision.App.Stopping => "stopping",
        Supervision.App.BackingOff => "backoff",
        _ => "unknown",
    };

    private IEnumerable<ProblemStatus> Problems(AgentState s)
    {
        if (s.Door.Problem is { } closed)
        {
            yield return Problem(closed, null);
        }
        foreach (var (problem, work) in new[] { (s.Engine.Problem, s.Engine.Work), (s.Secrets.Problem, s.Secrets.Work), (s.Tag.Problem, s.Tag.Work), (s.Image.Problem, s.Image.Work) })
        {
            if (problem is not null)
            {
                yield return Problem(problem, (work as Work.Waiting)?.Until);
            }
        }
    }

    private ProblemStatus Problem(Problem problem, Moment? nextTry) => new(problem.Code, problem.What, problem.Remedy, Wall(nextTry));

    private DateTimeOffset? Wall(Moment? at) => at is { } moment ? clock.WallTime(moment) : null;
}
