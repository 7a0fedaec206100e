using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>The state in one sentence for operators: the same in <c>status</c>, on the status page and in systemd's status line.</summary>
internal static class Headline
{
    public static string Describe(AgentState state, Policy policy)
    {
        var app = DescribeApp(state, policy);
        return InstanceStopNotice(state, policy) is { } notice ? $"{app} {notice}" : app;
    }

    /// <summary>Null: the instance is not about to stop.</summary>
    private static string? InstanceStopNotice(AgentState state, Policy policy) => state switch
    {
        _ when policy.Idle is null => null,
        { InstanceStop.Value: not null } => "The instance is stopping.",
        { Idle.UptimeNoticeAt: not null } =>
            $"The instance stops soon: it has been up for {Humanize.Duration(policy.Idle.MaxUptime ?? TimeSpan.Zero)}.",
        { Idle.IdleNoticeAt: not null } =>
            $"The instance stops soon: no one has used the app for {Humanize.Duration(policy.Idle.StopAfter ?? TimeSpan.Zero)}.",
        _ => null,
    };

    private static string DescribeApp(AgentState state, Policy policy) => state.Front switch
    {
        ContainerState.Serving { Failures: 0 } serving => DescribeServing(state, serving, policy),
        ContainerState.Serving when state.Engine.Problem is { IsUnanswered: true } problem => $"The app does not answer. {problem}",
        ContainerState.Serving { UnreadySince: not null } serving =>
            $"The app does not answer ({serving.Failures} liveness probes failed in a row): {serving.LastError}. " +
            "New clients wait or get the status page; open sessions are left alone.",
        ContainerState.Serving serving =>
            $"The app serves but failed {serving.Failures} of {Probing.FailureThreshold(serving, policy)} liveness probes: " +
            $"{serving.LastError}.",
        ContainerState.Probing { Session: { } failed } => $"The app runs, but its page fails: {failed.Error}.",
        ContainerState.Probing probing when PortProblem.Of(probing, policy) is { } problem => $"The app is starting. {problem}",
        ContainerState.Probing { LastError: { } error } => $"The app is starting: {error}.",
        ContainerState.Probing => "The app is starting.",
        ContainerState.Starting => "Starting the container.",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "Stopping the container to replace it with another release.",
        ContainerState.Stopping => "Stopping the container.",
        ContainerState.BackingOff { Cause.Problem: { Kind.IsAppFailure: true } problem }
            when state.Failures.Crashes >= policy.CrashLoopThreshold =>
            $"The app is crash-looping ({state.Failures.Crashes} in a row). {problem}",
        ContainerState.BackingOff backingOff => $"{backingOff.Cause.Problem}",
        _ when state.Hold is { } hold =>
            $"The app was stopped with {(hold == StopHold.Operator ? "'ragagent stop'" : "'docker stop'")}. Start it with 'ragagent start'.",
        _ => DescribeWaiting(state, policy),
    };

    private static string DescribeServing(AgentState state, ContainerState.Serving serving, Policy policy)
    {
        var serves = $"The app serves ({Humanize.Digest(serving.Container.Image?.Digest ?? "unknown image")})";
        return state switch
        {
            { Engine: { Failures: > 0, Problem: { } problem } } => $"{serves}. {problem}",
            { FrontDoor.Problem: { } problem } => $"{serves}, but clients can't reach it. {problem}",
            _ when ImageTrial.IsAvoided(state, serving.Container.Image) => $"{serves} until the previous image replaces it.",
            { Images.Verdict: { IsAvoided: true } verdict } => $"{serves}. {DescribeAvoided(verdict)}",
            { Candidate: ContainerState.Starting or ContainerState.Probing } => $"{serves}; a newer image is being tested next to it.",
            { Tag: { Value: null, Problem: { } problem } } =>
                $"The app serves from the image on disk ({Humanize.Digest(serving.Container.Image?.Digest ?? "unknown image")}), " +
                $"which may not be the newest. {problem}",
            _ when serving.SessionError is { } error => $"{serves}, but its page failed before the first visitor came: {error}.",
            { UpdateWaitsSince: not null } when SessionUse.Count(state, state.Now, policy) is > 0 and var inUse =>
                $"{serves}; a newer release waits until no session is in use ({inUse} of {state.Sessions.Count} now).",
            _ => $"{serves}.",
        };
    }

    /// <summary>What the start waits for: the first thing that is missing, in the order in which they depend on each other.</summary>
    private static string DescribeWaiting(AgentState state, Policy policy)
    {
        if (state.Engine is { Value: null, Problem: null })
        {
            return "Asking Docker Engine what is running.";
        }
        if ((state.Engine.Problem ?? state.Secrets.Problem ?? state.Tag.Problem ?? state.Image.Problem) is { } problem)
        {
            return problem.ToString();
        }
        if (state.Pull.Progress is { } progress)
        {
            return $"Pulling {state.Tag.Value?.Reference}: {progress.Percent} % " +
                $"({Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}).";
        }
        return state switch
        {
            { Image.IsRunning: true } => $"Preparing to pull {state.Tag.Value?.Reference}.",
            _ when DesiredRelease.WaitsOnlyForSecrets(state, policy) =>
                "Waiting for the secrets: their source hasn't answered yet. The image is on disk.",
            { Tag.Value: null } => "Asking the registry for the newest image.",
            { Secrets.Value: null } => "Reading the secrets.",
            _ => "About to start the container.",
        };
    }

    private static string DescribeAvoided(Verdict verdict)
    {
        var image = $"The newest image {Humanize.Digest(verdict.Image.Digest)}";
        return verdict switch
        {
            Verdict.Undecided undecided => $"{image} failed, and so did the one before it: {undecided.Cause.What}",
            Verdict.RolledBack rolledBack => $"{image} was rolled back: {rolledBack.Cause.What}",
            Verdict.Quarantined quarantined => $"{image} is quarantined: {quarantined.Cause.What}",
            _ => "",
        };
    }
}
