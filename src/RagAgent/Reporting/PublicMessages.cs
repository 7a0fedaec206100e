using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>The state in one sentence for strangers. It contains fixed text only, so it can't leak anything.</summary>
internal static class PublicMessages
{
    public const string NotResponding = "The app is not responding right now.";

    public static string Describe(AgentState state, Policy policy) => state.Front switch
    {
        _ when IdleStop.IsAccepted(state) => $"This machine is shutting down{ShutdownReason(state)}.",
        ContainerState.Serving => NotResponding,
        ContainerState.Probing { Adopted: true } => "The app will be back in a moment.",
        ContainerState.Probing { Session: not null } => "The app has a problem. Retrying automatically.",
        ContainerState.Probing => "The app has started and is getting ready.",
        ContainerState.Starting => "The app is starting.",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "The app is being updated.",
        _ when state.Hold is not null => "The app is turned off for now.",
        ContainerState.Stopping => "The app is restarting.",
        ContainerState.BackingOff { Cause.Problem.Kind.IsAppFailure: true } when state.Failures.Crashes >= policy.CrashLoopThreshold =>
            "The app keeps failing. Retrying automatically, with longer and longer pauses.",
        ContainerState.BackingOff => "The app failed and is about to restart.",
        _ => DescribeWaiting(state),
    };

    /// <summary>Null: as far as is known, the machine keeps running.</summary>
    public static string? ShutdownNotice(AgentState state) =>
        state.Idle is { IdleNoticeAt: null, UptimeNoticeAt: null } ? null : $"This machine will shut down soon{ShutdownReason(state)}.";

    private static string ShutdownReason(AgentState state) => state.Idle switch
    {
        { UptimeNoticeAt: not null } => " because it has been running for a long time",
        { IdleNoticeAt: not null } => " because no one has used the app for a while",
        _ => "",
    };

    private static string DescribeWaiting(AgentState state) => state switch
    {
        { Engine.Problem: not null } => "The machine is not ready for the app yet. Retrying automatically.",
        { Engine.Value: null } => "The machine is getting ready.",
        { Secrets.Problem: not null } => "Something the app needs can't be reached right now. Retrying automatically.",
        { Tag.Problem: not null } or { Image.Problem: not null } =>
            "The newest version can't be reached right now. Retrying automatically.",
        { Pull.Progress: { } progress } when progress.DownloadedBytes < progress.TotalBytes => "The newest version is being downloaded.",
        { Pull.Progress: not null } => "The newest version is being unpacked.",
        { Image.IsRunning: true } => "The newest version is about to be downloaded.",
        { Tag.Value: null } => "Looking for the newest version.",
        { Secrets.Value: null } => "Getting what the app needs.",
        _ => "The app is about to start.",
    };
}
