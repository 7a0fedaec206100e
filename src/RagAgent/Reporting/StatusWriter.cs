using System.Globalization;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>Builds the status document, which people and scripts read, from the state.</summary>
internal sealed class StatusWriter(
    AgentConfig config,
    Policy policy,
    StateFeed feed,
    BootTimeline boot,
    IConfigStatus configInUse,
    IPasswordStatus password,
    ICertificateStatus certificate,
    IDnsStatus dnsName,
    IAppExceptions exceptions,
    AgentClock clock)
{
    public StatusDocument Build()
    {
        var (revision, state) = feed.Read();
        return new StatusDocument(
            AgentVersion.Short,
            revision,
            Headline.Describe(state, policy),
            BuildApp(state),
            BuildImage(state),
            new SecretsStatus(state.Secrets.Value?.Versions ?? [], WallTime(state.Secrets.ReadAt)),
            new EngineStatus(state.Engine.Value?.EngineVersion, state.EngineIsReachable),
            new FrontDoorStatus(config.Listen.Http, state.FrontDoor.IsOpen, BuildHttps()),
            BuildUpdate(state.Requests),
            BuildRollout(state),
            state.Failures.Last is { } failure ? BuildFailure(failure) : null,
            [.. BuildProblems(state)],
            new BootsStatus(BuildBoot(boot.Current), boot.Previous is { } previous ? BuildBoot(previous) : null),
            policy.Idle is null ? null : BuildIdle(state),
            BuildDns(),
            configInUse.Fingerprint);
    }

    public static BootStatus BuildBoot(BootRecord boot) => new(
        boot.StartedAt,
        [.. boot.Steps.OrderBy(step => step.Value)
            .Select(step => new BootStepStatus(step.Key.ToString().ToLowerInvariant(), Math.Round(step.Value.TotalSeconds, 3)))]);

    private AppStatus BuildApp(AgentState state)
    {
        var container = state.Front.Current;
        var digest = container?.Image?.Digest;
        return new AppStatus(
            state is { Front: ContainerState.Absent, Hold: not null } ? "stopped" : StateName(state.Front),
            ServingSince(state.Front as ContainerState.Serving),
            container?.ShortId,
            container?.ReleaseId,
            digest,
            state.Tag.Value is { } tag && digest is not null ? tag.Image.Digest == digest : null,
            state.Failures.Crashes,
            state.Failures.Crashes >= policy.CrashLoopThreshold && state.Failures.Last?.Problem.Kind.IsAppFailure == true,
            state.Sessions.Count,
            WallTime((state.Front as ContainerState.BackingOff)?.Until),
            state.Hold switch { StopHold.Operator => "operator", StopHold.DockerStop => "hand", _ => null },
            SessionName(state.Front),
            container is null ? null : BuildExceptions(container),
            SessionUse.Count(state, clock.Now, policy));
    }

    private static string? SessionName(ContainerState front) => front switch
    {
        ContainerState.Probing { Session: not null } or ContainerState.Serving { SessionError: not null } => "failed",
        ContainerState.Serving { Session: SessionReading.Works } => "works",
        ContainerState.Serving { Session: SessionReading.Unreadable } => "unreadable",
        _ => null,
    };

    private ExceptionsStatus? BuildExceptions(Container container) =>
        exceptions.OfVisitors(container.Id) is { Count: > 0 } found ? new ExceptionsStatus(found.Count, found.LastLine) : null;

    private static string StateName(ContainerState front) => front switch
    {
        ContainerState.Absent => "absent",
        ContainerState.Starting or ContainerState.Probing => "starting",
        ContainerState.Serving { Failures: 0 } => "serving",
        ContainerState.Serving => "unhealthy",
        ContainerState.Stopping or ContainerState.Draining => "stopping",
        ContainerState.BackingOff => "backoff",
        _ => "unknown",   // the engine has not been inspected yet
    };

    private DateTimeOffset? ServingSince(ContainerState.Serving? serving) => serving switch
    {
        null => null,
        { Adopted: true } when DateTimeOffset.TryParse(
            serving.Container.StartedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started) => started,
        _ => WallTime(serving.Since),
    };

    private ImageStatus BuildImage(AgentState state) => new(
        state.Tag.Value?.Reference ?? config.Image,
        state.Tag.Value?.Image.Digest,
        state.Tag.Value?.TagDigest,
        WallTime(state.Tag.ReadAt),
        WallTime(state.NextCheck),
        state.Pull.Progress is { } progress ? new PullStatus(progress.Percent, progress.DownloadedBytes, progress.TotalBytes) : null);

    private HttpsStatus? BuildHttps() =>
        config.Listen.Https is { } port ? new HttpsStatus(port, certificate.Names, certificate.ValidUntil) : null;

    private DnsStatus? BuildDns() => config is { Dns: { } dns, Url: { } url }
        ? new DnsStatus(dns.Name, url, [.. dnsName.Addresses.Select(address => address.ToString())])
        : null;

    private UpdateStatus BuildUpdate(RequestState requests) => new(
        requests.Current?.Id,
        requests.LastOutcome is { } outcome
            ? new UpdateResult(outcome.Id, outcome.Changed, outcome.Digest, BuildProblem(outcome.Problem), outcome.Kind.CommandName())
            : null);

    private RolloutStatus BuildRollout(AgentState state) => new(
        RolloutPhaseName.Of(state, policy),
        state.Candidate?.Current?.ShortId,
        state.Front is ContainerState.Serving serving && Watch.Covers(state, serving, policy)
            ? WallTime(serving.Since + policy.Watch)
            : null,
        [.. state.Images.KnownGood.Select(good => good.Digest)],
        state.Images.Verdict switch
        {
            Verdict.RolledBack rolledBack => SetAside(rolledBack, "rolled-back", rolledBack.Cause),
            Verdict.Quarantined quarantined => SetAside(quarantined, "quarantined", quarantined.Cause),
            Verdict.Undecided undecided => SetAside(undecided, "undecided", undecided.Cause),
            _ => null,
        },
        BuildWait(state));

    private WaitStatus? BuildWait(AgentState state) =>
        state.UpdateWaitsSince is { } since && SessionUse.HoldsUpdate(state, policy) && SessionUse.WaitsUntil(state, policy) is { } until
            ? new WaitStatus(
                SessionUse.Count(state, clock.Now, policy),
                WallTime(SessionUse.LastActivity(state)),
                clock.WallTime(since),
                clock.WallTime(until))
            : null;

    private SetAsideStatus SetAside(Verdict verdict, string name, Problem cause) =>
        new(verdict.Image.Digest, name, BuildProblem(cause, null));

    private IdleStatus BuildIdle(AgentState state)
    {
        var stop = IdleStop.PlannedStop(state, policy);
        return new IdleStatus(
            clock.WallTime(state.Idle.LastActivity),
            WallTime(stop?.At),
            stop is { } known ? known.IsForUptime ? "max-uptime" : "idle" : null,
            state.Idle.IdleNoticeAt is not null || state.Idle.UptimeNoticeAt is not null,
            IdleStop.IsAccepted(state));
    }

    private FailureStatus BuildFailure(Failure failure) => new(
        clock.WallTime(failure.At), failure.ReleaseId, BuildProblem(failure.Problem, null), failure.LastLines, BuildExit(failure.Exit));

    // From 128 on, a shell's exit code is 128 plus the signal's number; 64 is the highest signal.
    private static ExitStatus? BuildExit(ContainerExit? exit) =>
        exit is null ? null : new ExitStatus(exit.Code, exit.Code is > 128 and < 193 ? exit.Code - 128 : null, exit.OutOfMemory);

    private IEnumerable<ProblemStatus> BuildProblems(AgentState state)
    {
        var frontDoor = state.FrontDoor.Problem;
        IEnumerable<ReportedProblem> reported =
        [
            .. configInUse.Problems,
            .. password.Problems.Where(other => other.Problem != frontDoor),
            .. frontDoor is null ? Array.Empty<ReportedProblem>() : [new ReportedProblem(frontDoor)],
            .. certificate.Problems.Where(other => other.Problem != frontDoor),
            .. dnsName.Problems,
            .. SessionProblem(state.Front),
            .. PortProblems(state),
            .. ProblemsOf(state.Engine),
            .. ProblemsOf(state.Secrets),
            .. ProblemsOf(state.Tag),
            .. ProblemsOf(state.Image),
            .. ProblemsOf(state.Images.Fallback),
            .. ProblemsOf(state.Saved),
            .. ProblemsOf(state.InstanceStop),
        ];
        return reported.Select(problem => BuildProblem(problem.Problem, problem.NextTry));
    }

    private IEnumerable<ReportedProblem> PortProblems(AgentState state) => new[] { state.Front, state.Candidate }
        .Select(slot => PortProblem.Of(slot, policy)).OfType<Problem>().Select(problem => new ReportedProblem(problem));

    private static ReportedProblem[] ProblemsOf<T>(Fetched<T> fetched)
        where T : class => fetched.Problem is { } problem ? [new(problem, (fetched.State as FetchState.Waiting)?.Until)] : [];

    private static ReportedProblem[] SessionProblem(ContainerState front) => front switch
    {
        ContainerState.Probing { Session: { } failed } probing =>
            [new(ContainerProblems.SessionFailed(probing.Container, failed.Error), probing.Probe.NextAt)],
        ContainerState.Serving { SessionError: { } error } serving => [new(ContainerProblems.SessionFailed(serving.Container, error))],
        _ => [],
    };

    private ProblemStatus? BuildProblem(Problem? problem) => problem is null ? null : BuildProblem(problem, null);

    private ProblemStatus BuildProblem(Problem problem, Moment? nextTry) =>
        new(problem.Code, problem.What, problem.Remedy, WallTime(nextTry));

    private DateTimeOffset? WallTime(Moment? at) => at is { } moment ? clock.WallTime(moment) : null;
}
