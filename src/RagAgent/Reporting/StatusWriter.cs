using System.Globalization;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Tls;
using RagAgent.Secrets;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>Turns the state into the document that people and scripts read.</summary>
internal sealed class StatusWriter(AgentConfig config, Policy policy, StateFeed feed, BootTimeline boot, ConfigInUse configInUse, PasswordHashProvider password, CertificateWatch certificates, DnsStateHolder dnsState, AgentClock clock)
{
    public StatusDocument Build()
    {
        var (revision, state) = feed.Read();
        return new StatusDocument(
            AgentVersion.Short,
            revision,
            Headline.Describe(state, policy),
            BuildApp(state),
            new ImageStatus(state.Tag.Value?.Reference ?? config.Image, state.Tag.Value?.Image.Digest, state.Tag.Value?.TagDigest, WallTime(state.Tag.ReadAt), WallTime(state.NextCheck),
                state.Pull.Progress is { } progress ? new PullStatus(progress.Percent, progress.DownloadedBytes, progress.TotalBytes) : null),
            new SecretsStatus(state.Secrets.Value?.Versions ?? [], WallTime(state.Secrets.ReadAt)),
            new EngineStatus(state.Engine.Value?.EngineVersion, state.EngineIsReachable),
            new FrontDoorStatus(config.Listen.Http, state.FrontDoor.IsOpen, BuildHttps()),
            new UpdateStatus(state.Requests.Current?.Id, state.Requests.LastOutcome is { } outcome ? new UpdateResult(outcome.Id, outcome.Changed, outcome.Digest, outcome.Problem is { } why ? BuildProblem(why, null) : null, outcome.Kind.CommandName()) : null),
            BuildRollout(state),
            state.Failures.Last is { } failure ? new FailureStatus(clock.WallTime(failure.At), failure.ReleaseId, BuildProblem(failure.Problem, null), failure.LastLines, BuildExit(failure.Exit)) : null,
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
        var container = state.Front.Current;
        var digest = container?.Image?.Digest;
        return new AppStatus(
            state is { Front: RagAgent.Supervision.State.ContainerState.Absent, Hold: not null } ? "stopped" : StateName(state.Front),
            ServingSince(state.Front as ContainerState.Serving),
            container?.ShortId,
            container?.ReleaseId,
            digest,
            state.Tag.Value is { } tag && digest is not null ? tag.Image.Digest == digest : null,
            state.Failures.Crashes,
            state.Failures.Crashes >= policy.CrashLoopThreshold && state.Failures.Last is { } last && ContainerProblems.IsAppFailure(last.Problem),
            state.Sessions,
            WallTime((state.Front as ContainerState.BackingOff)?.Until),
            state.Hold switch { Hold.Operator => "operator", Hold.DockerStop => "hand", _ => null });
    }

    private DateTimeOffset? ServingSince(ContainerState.Serving? serving) => serving switch
    {
        null => null,
        { Adopted: true } when DateTimeOffset.TryParse(serving.Container.StartedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) => started,
        _ => WallTime(serving.Since),
    };

    private RolloutStatus BuildRollout(AgentState state) => new(
        RolloutPhase.Of(state, policy),
        state.Candidate?.Current?.ShortId,
        state.Front is ContainerState.Serving serving && RagAgent.Supervision.Rules.Rollout.IsWatched(state, serving, policy) ? WallTime(serving.Since + policy.Watch) : null,
        [.. state.Images.KnownGood.Select(good => good.Digest)],
        state.Images.Verdict switch
        {
            Verdict.RolledBack b => new SetAsideStatus(b.Image.Digest, "rolled-back", BuildProblem(b.Cause, null)),
            Verdict.Quarantined q => new SetAsideStatus(q.Image.Digest, "quarantined", BuildProblem(q.Cause, null)),
            Verdict.Undecided u => new SetAsideStatus(u.Image.Digest, "undecided", BuildProblem(u.Cause, null)),
            _ => null,
        });

    private IdleStatus BuildIdle(AgentState state)
    {
        var stop = IdleStop.PlannedStop(state, policy);
        return new IdleStatus(clock.WallTime(state.Idle.LastActivity), WallTime(stop?.At), stop is { } known ? known.IsForUptime ? "max-uptime" : "idle" : null,
            state.Idle.IdleNoticeAt is not null || state.Idle.UptimeNoticeAt is not null, IdleStop.IsAccepted(state));
    }

    private static ExitStatus? BuildExit(ContainerExit? exit) =>
        exit is null ? null : new ExitStatus(exit.Code, exit.Code is > 128 and < 193 ? exit.Code - 128 : null, exit.OutOfMemory);

    private static string StateName(ContainerState app) => app switch
    {
        RagAgent.Supervision.State.ContainerState.Absent => "absent",
        RagAgent.Supervision.State.ContainerState.Starting or RagAgent.Supervision.State.ContainerState.Probing => "starting",
        RagAgent.Supervision.State.ContainerState.Serving { Failures: 0 } => "serving",
        RagAgent.Supervision.State.ContainerState.Serving => "unhealthy",
        RagAgent.Supervision.State.ContainerState.Stopping => "stopping",
        RagAgent.Supervision.State.ContainerState.BackingOff => "backoff",
        _ => "unknown",
    };

    private IEnumerable<ProblemStatus> BuildProblems(AgentState state)
    {
        if (configInUse.Problem is { } configProblem)
        {
            yield return BuildProblem(configProblem, null);
        }
        if (password.Problem is { } passwordProblem && passwordProblem != state.FrontDoor.Problem)
        {
            yield return BuildProblem(passwordProblem, null);
        }
        if (state.FrontDoor.Problem is { } frontDoorProblem)
        {
            yield return BuildProblem(frontDoorProblem, null);
        }
        foreach (var problem in certificates.Problems.Where(problem => problem != state.FrontDoor.Problem))
        {
            yield return BuildProblem(problem, null);
        }
        var currentDns = dnsState.Current;
        foreach (var problem in currentDns.Problems)
        {
            yield return BuildProblem(problem, currentDns.NextTry);
        }
        foreach (var (problem, work) in new[] { (state.Engine.Problem, state.Engine.State), (state.Secrets.Problem, state.Secrets.State), (state.Tag.Problem, state.Tag.State), (state.Image.Problem, state.Image.State), (state.Images.Fallback.Problem, state.Images.Fallback.State), (state.Saved.Problem, state.Saved.State), (state.InstanceStop.Problem, state.InstanceStop.State) })
        {
            if (problem is not null)
            {
                yield return BuildProblem(problem, (work as FetchState.Waiting)?.Until);
            }
        }
    }

    private ProblemStatus BuildProblem(Problem problem, Moment? nextTry) => new(problem.Code, problem.What, problem.Remedy, WallTime(nextTry));

    private DateTimeOffset? WallTime(Moment? at) => at is { } moment ? clock.WallTime(moment) : null;
}
