using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>What is going on, for a stranger: one sentence of ours. Nothing of the state's own text is in it, so nothing can leak.</summary>
internal static class PublicMessages
{
    public const string NotResponding = "The app does not answer right now.";

    public static string Describe(AgentState state, Policy policy) => state.Front switch
    {
        _ when IdleStop.IsAccepted(state) => $"This machine is being switched off{ShutdownReason(state)}.",
        ContainerState.Serving => NotResponding,
        ContainerState.Probing { Adopted: true } => "The app is about to be back.",
        ContainerState.Probing => "The app has started and is getting ready.",
        ContainerState.Starting => "The app is being started.",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "The app is being updated.",
        _ when state.Hold is not null => "The app is switched off for now.",
        ContainerState.Stopping => "The app is being restarted.",
        ContainerState.BackingOff backingOff when state.Crashes >= policy.CrashLoopThreshold && ContainerProblems.IsAppFailure(backingOff.Cause.Problem) => "The app keeps failing. It is started again by itself, with longer and longer pauses.",
        ContainerState.BackingOff => "The app has failed and is about to be started again.",
        _ => DescribeWaiting(state),
    };

    /// <summary>That the machine goes soon; null while nothing is known of that.</summary>
    public static string? ShutdownNotice(AgentState state) => state.Idle is { IdleNoticeAt: null, UptimeNoticeAt: null } ? null : $"This machine is about to be switched off{ShutdownReason(state)}.";

    private static string ShutdownReason(AgentState state) => state.Idle switch
    {
        { UptimeNoticeAt: not null } => ", since it has been on for long",
        { IdleNoticeAt: not null } => ", since nobody has used the app for a while",
        _ => "",
    };

    private static string DescribeWaiting(AgentState state) => state switch
    {
        { Engine.Problem: not null } => "The machine is not ready for the app yet. It is asked again by itself.",
        { Engine.Value: null } => "The machine is getting ready.",
        { Secrets.Problem: not null } => "Something that the app needs can't be had right now. It is asked for again by itself.",
        { Tag.Problem: not null } or { Image.Problem: not null } => "The newest version can't be had right now. It is asked for again by itself.",
        { PullProgress: { } progress } => progress.DownloadedBytes < progress.TotalBytes ? "The newest version is being downloaded." : "The newest version is being unpacked.",
        { Image.IsRunning: true } => "The newest version is about to be downloaded.",
        { Tag.Value: null } => "Looking for the newest version.",
        { Secrets.Value: null } => "Getting what the app needs.",
        _ => "The app is about to be started.",
    };
}
