using System.Globalization;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Tls;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>Turns the state into the document that people and scripts read.</summary>
internal sealed class StatusWriter(AgentConfig config, Policy policy, StateBoard board, BootTimeline boot, ConfigInUse configInUse, PasswordHashProvider password, CertificateWatch certificates, DnsStateHolder dnsState, AgentClock clock)
{
    public StatusDocument Build()
    {
        var (revision, state) = board.Read();
        return new StatusDocument(
            AgentVersion.Short,
            revision,
            Headline.Describe(state, policy),
            BuildApp(state),
            new ImageStatus(state.Tag.Value?.Reference ?? config.Image, state.Tag.Value?.Image.Digest, state.Tag.Value?.TagDigest, WallTime(state.Tag.ReadAt), WallTime(state.NextCheck),
                state.Progress is { } p ? new PullStatus(p.Percent, p.DownloadedBytes, p.TotalBytes) : null),
            new SecretsStatus(state.Secrets.Value?.Versions ?? [], WallTime(state.Secrets.ReadAt)),
            new EngineStatus(state.Engine.Value?.EngineVersion, state.EngineAnswers),
            new FrontDoorStatus(config.Listen.Http, state.Door.IsOpen, BuildHttps()),
            new UpdateStatus(state.Request?.Id, state.LastOutcome is { } o ? new UpdateResult(o.Id, o.Changed, o.Digest, o.Problem is { } why ? BuildProblem(why, null) : null, Words.Command(o.Kind)) : null),
            BuildRollout(state),
            state.LastFailure is { } f ? new FailureStatus(clock.WallTime(f.At), f.ReleaseId, BuildProblem(f.Problem, null), f.LastLines, BuildExit(f.Exit)) : null,
            [.. BuildProblems(state)],
            new BootsStatus(BuildBoot(boot.Current), boot.Previous is { } previous ? BuildBoot(previous) : null),
            policy.Idle is null ? null : BuildIdle(state),
            config is { Dns: { } dns, Url: { } url } ? new DnsStatus(dns.Name, url, [.. dnsState.Current.Addresses.Select(one => one.ToString())]) : null,
            configInUse.Fingerprint);
    }

    private HttpsStatus? BuildHttps() => config.Listen.Https is { } port ? new HttpsStatus(port, certificates.Current?.Names ?? [], certificates.Current?.NotAfter) : null;

    public static BootStatus BuildBoot(BootRecord boot) =>
        new(boot.StartedAt, [.. boot.Steps.OrderBy(step => step.Value).Select(step => new BootStepStatus(step.Key.ToString().ToLowerInvariant(), Math.Round(step.Value.TotalSeconds, 3)))]);

    private AppStatus BuildApp(AgentState state)
    {
        var container = state.App.Current;
        var digest = container?.Image?.Digest;
        return new AppStatus(
            state is { App: Supervision.App.Absent, Hold: not null } ? "stopped" : StateName(state.App),
            ServingSince(state.App as App.Serving),
            container?.ShortId,
            container?.ReleaseId,
            digest,
            state.Tag.Value is { } tag && digest is not null ? tag.Image.Digest == digest : null,
            state.Crashes,
            state.Crashes >= policy.CrashLoopAfter && state.LastFailure is { } last && Failures.IsOfTheApp(last.Problem),
            state.Sessions,
            WallTime((state.App as App.BackingOff)?.Until),
            state.Hold switch { Hold.Operator => "operator", Hold.Hand => "hand", _ => null });
    }

    private DateTimeOffset? ServingSince(App.Serving? serving) => serving switch
    {
        null => null,
        { Adopted: true } when DateTimeOffset.TryParse(serving.Container.StartedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) => started,
        _ => WallTime(serving.Since),
    };

    private RolloutStatus BuildRollout(AgentState state) => new(
        RolloutPhase.Of(state, policy),
        state.Beside?.Current?.ShortId,
        state.App is App.Serving v && Supervision.Rollout.IsWatched(state, v, policy) ? WallTime(v.Since + policy.Watch) : null,
        [.. state.Good.Select(good => good.Digest)],
        state.Verdict switch
        {
            Verdict.RolledBack b => new SetAsideStatus(b.Image.Digest, "rolled-back", BuildProblem(b.Why, null)),
            Verdict.Quarantined q => new SetAsideStatus(q.Image.Digest, "quarantined", BuildProblem(q.Why, null)),
            Verdict.Undecided u => new SetAsideStatus(u.Image.Digest, "undecided", BuildProblem(u.Why, null)),
            _ => null,
        });

    private IdleStatus BuildIdle(AgentState state)
    {
        var stop = IdleStop.Foreseen(state, policy);
        return new IdleStatus(clock.WallTime(state.Idle.LastActivity), WallTime(stop?.At), stop is { } known ? known.IsForUptime ? "max-uptime" : "idle" : null,
            state.Idle.QuietNotice is not null || state.Idle.UptimeNotice is not null, IdleStop.IsAccepted(state));
    }

    private static ExitStatus? BuildExit(ContainerExit? exit) =>
        exit is null ? null : new ExitStatus(exit.Code, exit.Code is > 128 and < 193 ? exit.Code - 128 : null, exit.OutOfMemory);

    private static string StateName(App app) => app switch
    {
        Supervision.App.Absent => "absent",
        Supervision.App.Starting or Supervision.App.Probing => "starting",
        Supervision.App.Serving { Failures: 0 } => "serving",
        Supervision.App.Serving => "unhealthy",
        Supervision.App.Stopping => "stopping",
        Supervision.App.BackingOff => "backoff",
        _ => "unknown",
    };

    private IEnumerable<ProblemStatus> BuildProblems(AgentState state)
    {
        if (configInUse.Problem is { } configProblem)
        {
            yield return BuildProblem(configProblem, null);
        }
        if (password.Problem is { } passwordProblem && passwordProblem != state.Door.Problem)
        {
            yield return BuildProblem(passwordProblem, null);
        }
        if (state.Door.Problem is { } frontDoorProblem)
        {
            yield return BuildProblem(frontDoorProblem, null);
        }
        foreach (var problem in certificates.Problems.Where(problem => problem != state.Door.Problem))
        {
            yield return BuildProblem(problem, null);
        }
        var currentDns = dnsState.Current;
        foreach (var problem in currentDns.Problems)
        {
            yield return BuildProblem(problem, currentDns.NextTry);
        }
        foreach (var (problem, work) in new[] { (state.Engine.Problem, state.Engine.Work), (state.Secrets.Problem, state.Secrets.Work), (state.Tag.Problem, state.Tag.Work), (state.Image.Problem, state.Image.Work), (state.Spare.Problem, state.Spare.Work), (state.Written.Problem, state.Written.Work), (state.InstanceStop.Problem, state.InstanceStop.Work) })
        {
            if (problem is not null)
            {
                yield return BuildProblem(problem, (work as Work.Waiting)?.Until);
            }
        }
    }

    private ProblemStatus BuildProblem(Problem problem, Moment? nextTry) => new(problem.Code, problem.What, problem.Remedy, WallTime(nextTry));

    private DateTimeOffset? WallTime(Moment? at) => at is { } moment ? clock.WallTime(moment) : null;
}
