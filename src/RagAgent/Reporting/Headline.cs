using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>What is going on, in one plain sentence: the same words at the front door, in <c>status</c> and in systemd's status line.</summary>
internal static class Headline
{
    public static string Describe(AgentState state, Policy policy) => InstanceStopNotice(state, policy) is { } notice ? $"{DescribeApp(state, policy)} {notice}" : DescribeApp(state, policy);

    /// <summary>That the instance will be, or is being, stopped; null: neither.</summary>
    private static string? InstanceStopNotice(AgentState state, Policy policy) => state switch
    {
        _ when policy.Idle is null => null,
        { InstanceStop.Value: not null } => "The instance is being stopped.",
        { Idle.UptimeNoticeAt: not null } => $"The instance is about to be stopped: it has been up for {Humanize.Duration(policy.Idle.MaxUptime ?? TimeSpan.Zero)}.",
        { Idle.IdleNoticeAt: not null } => $"The instance is about to be stopped: nobody has used the app for {Humanize.Duration(policy.Idle.StopAfter ?? TimeSpan.Zero)}.",
        _ => null,
    };

    private static string DescribeApp(AgentState state, Policy policy) => state.Front switch
    {
        ContainerState.Serving { Failures: 0 } serving when state.Engine.Failures > 0 && state.Engine.Problem is { } problem => $"The app serves ({ShortDigest(serving)}). {problem}",
        ContainerState.Serving { Failures: 0 } serving when state.FrontDoor.Problem is { } frontDoorProblem => $"The app serves ({ShortDigest(serving)}), and no visitor gets in. {frontDoorProblem}",
        ContainerState.Serving { Failures: 0 } serving when Rollout.IsAvoided(state, serving.Container.Image) => $"The app serves ({ShortDigest(serving)}), until the image before it takes its place.",
        ContainerState.Serving { Failures: 0 } serving when state.Verdict is { IsAvoided: true } verdict => $"The app serves ({ShortDigest(serving)}). {DescribeAvoided(verdict)}",
        ContainerState.Serving { Failures: 0 } serving when state.Candidate is ContainerState.Starting or ContainerState.Probing => $"The app serves ({ShortDigest(serving)}); a newer one is being tried beside it.",
        ContainerState.Serving { Failures: 0 } serving when state.Tag is { Value: null, Problem: { } problem } => $"The app serves from the image on disk ({ShortDigest(serving)}), which may not be the newest. {problem}",
        ContainerState.Serving { Failures: 0 } serving => $"The app serves ({ShortDigest(serving)}).",
        ContainerState.Serving when state.Engine.Problem is { IsUnanswered: true } problem => $"The app does not answer. {problem}",
        ContainerState.Serving serving => $"The app serves but failed {serving.Failures} of {Probing.FailureThreshold(serving, policy)} liveness probes: {serving.LastError}.",
        ContainerState.Probing { LastError: { } fault } => $"The app is starting: {fault}.",
        ContainerState.Probing => "The app is starting.",
        ContainerState.Starting => "The container is being started.",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "The container makes room for another release.",
        ContainerState.Stopping => "The container is being stopped.",
        ContainerState.BackingOff b => $"{(state.Crashes >= policy.CrashLoopThreshold && ContainerProblems.IsAppFailure(b.Cause.Problem) ? $"The app is crash-looping ({state.Crashes} in a row). " : "")}{b.Cause.Problem}",
        _ when state.Hold is { } hold => $"The app is stopped by {(hold == Hold.Operator ? "'ragagent stop'" : "'docker stop'")}. Start it with 'ragagent start'.",
        _ => DescribeWaiting(state),
    };

    /// <summary>What the start waits for: the first thing that is missing, in the order in which one needs the other.</summary>
    private static string DescribeWaiting(AgentState state)
    {
        if (state.Engine is { Value: null, Problem: null })
        {
            return "Docker Engine is being asked what runs.";
        }
        var problems = new[] { state.Engine.Problem, state.Secrets.Problem, state.Tag.Problem, state.Image.Problem }.OfType<Problem>().ToArray();
        if (problems.Length > 0)
        {
            return problems[0].ToString();
        }
        if (state.PullProgress is { } progress)
        {
            return $"Pulling {state.Tag.Value?.Reference}: {progress.Percent} % ({Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}).";
        }
        return state switch
        {
            { Image.IsRunning: true } => $"Preparing to pull {state.Tag.Value?.Reference}.",
            { Tag.Value: null } => "Asking the registry what the newest image is.",
            { Secrets.Value: null } => "Reading the secrets.",
            _ => "The container is about to be started.",
        };
    }

    private static string DescribeAvoided(Verdict verdict) => verdict switch
    {
        Verdict.Undecided u => $"The newest image {Humanize.Digest(u.Image.Digest)} failed, and the one before it did too: {u.Cause.What}",
        Verdict.RolledBack b => $"The newest image {Humanize.Digest(b.Image.Digest)} was rolled back: {b.Cause.What}",
        Verdict.Quarantined q => $"The newest image {Humanize.Digest(q.Image.Digest)} is quarantined: {q.Cause.What}",
        _ => "",
    };

    private static string ShortDigest(ContainerState.Serving serving) => Humanize.Digest(serving.Container.Image?.Digest ?? "unknown image");
}
