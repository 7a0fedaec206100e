using System.Globalization;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Proxy.Tls;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>Turns the state into the document that people and scripts read.</summary>
internal sealed class StatusWriter(AgentConfig config, Policy policy, StateBoard board, BootTimeline boot, ConfigInUse configInUse, PasswordHashProvider password, CertificateWatch certificates, AppAddress address, AgentClock clock)
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
            new FrontDoorStatus(config.Listen.Http, s.Door.IsOpen, Https()),
            new UpdateStatus(s.Request?.Id, s.LastOutcome is { } o ? new UpdateResult(o.Id, o.Changed, o.Digest, o.Problem is { } why ? Problem(why, null) : null, Words.Command(o.Kind)) : null),
            Rollout(s),
            s.LastFailure is { } f ? new FailureStatus(clock.WallTime(f.At), f.ReleaseId, Problem(f.Problem, null), f.LastLines, Exit(f.Exit)) : null,
            [.. Problems(s)],
            new BootsStatus(Boot(boot.Now), boot.Previous is { } previous ? Boot(previous) : null),
            policy.Idle is null ? null : Idle(s),
            config is { Dns: { } dns, Url: { } url } ? new DnsStatus(dns.Name, url, [.. address.Now.Addresses.Select(one => one.ToString())]) : null,
            configInUse.Fingerprint);
    }

    private HttpsStatus? Https() => config.Listen.Https is { } port ? new HttpsStatus(port, certificates.Current?.Names ?? [], certificates.Current?.NotAfter) : null;

    public static BootStatus Boot(Boot boot) =>
        new(boot.Began, [.. boot.Steps.OrderBy(step => step.Value).Select(step => new BootStepStatus(step.Key.ToString().ToLowerInvariant(), Math.Round(step.Value.TotalSeconds, 3)))]);

    private AppStatus App(AgentState s)
    {
        var container = s.App.Current;
        var digest = container?.Image?.Digest;
        return new AppStatus(
            s is { App: Supervision.App.Absent, Hold: not null } ? "stopped" : Name(s.App),
            Since(s.App as App.Serving),
            container?.ShortId,
            container?.ReleaseId,
            digest,
            s.Tag.Value is { } tag && digest is not null ? tag.Image.Digest == digest : null,
            s.Crashes,
            s.Crashes >= policy.CrashLoopAfter && s.LastFailure is { } last && Failures.IsOfTheApp(last.Problem),
            s.Sessions,
            Wall((s.App as App.BackingOff)?.Until),
            s.Hold switch { Hold.Operator => "operator", Hold.Hand => "hand", _ => null });
    }

    private DateTimeOffset? Since(App.Serving? serving) => serving switch
    {
        null => null,
        { Adopted: true } when DateTimeOffset.TryParse(serving.Container.StartedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) => started,
        _ => Wall(serving.Since),
    };

    private RolloutStatus Rollout(AgentState s) => new(
        RolloutPhase.Of(s, policy),
        s.Beside?.Current?.ShortId,
        s.App is App.Serving v && Supervision.Rollout.IsWatched(s, v, policy) ? Wall(v.Since + policy.Watch) : null,
        [.. s.Good.Select(good => good.Digest)],
        s.Verdict switch
        {
            Verdict.RolledBack b => new SetAsideStatus(b.Image.Digest, "rolled-back", Problem(b.Why, null)),
            Verdict.Quarantined q => new SetAsideStatus(q.Image.Digest, "quarantined", Problem(q.Why, null)),
            Verdict.Undecided u => new SetAsideStatus(u.Image.Digest, "undecided", Problem(u.Why, null)),
            _ => null,
        });

    private IdleStatus Idle(AgentState s)
    {
        var stop = IdleStop.Foreseen(s, policy);
        return new IdleStatus(clock.WallTime(s.Idle.LastActivity), Wall(stop?.At), stop is { } known ? known.IsForUptime ? "max-uptime" : "idle" : null,
            s.Idle.QuietNotice is not null || s.Idle.UptimeNotice is not null, IdleStop.IsAccepted(s));
    }

    private static ExitStatus? Exit(ContainerExit? exit) =>
        exit is null ? null : new ExitStatus(exit.Code, exit.Code is > 128 and < 193 ? exit.Code - 128 : null, exit.OutOfMemory);

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
        if (configInUse.Problem is { } mistake)
        {
            yield return Problem(mistake, null);
        }
        if (password.Problem is { } shut && shut != s.Door.Problem)
        {
            yield return Problem(shut, null);
        }
        if (s.Door.Problem is { } closed)
        {
            yield return Problem(closed, null);
        }
        foreach (var problem in certificates.Problems.Where(problem => problem != s.Door.Problem))
        {
            yield return Problem(problem, null);
        }
        var standing = address.Now;
        foreach (var problem in standing.Problems)
        {
            yield return Problem(problem, standing.NextTry);
        }
        foreach (var (problem, work) in new[] { (s.Engine.Problem, s.Engine.Work), (s.Secrets.Problem, s.Secrets.Work), (s.Tag.Problem, s.Tag.Work), (s.Image.Problem, s.Image.Work), (s.Spare.Problem, s.Spare.Work), (s.Written.Problem, s.Written.Work), (s.InstanceStop.Problem, s.InstanceStop.Work) })
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
