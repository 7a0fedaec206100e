using RagAgent.Supervision;

namespace RagAgent.Diagnostics;

/// <summary>What is going on, in one plain sentence: the same words at the front door, in <c>status</c> and in systemd's status line.</summary>
internal static class Headline
{
    public static string Describe(AgentState state, Policy policy) => InstanceStopNotice(state, policy) is { } notice ? $"{DescribeApp(state, policy)} {notice}" : DescribeApp(state, policy);

    /// <summary>That the instance will be, or is being, stopped; null: neither.</summary>
    private static string? InstanceStopNotice(AgentState state, Policy policy) => state switch
    {
        _ when policy.Idle is null => null,
        { InstanceStop.Value: not null } => "The instance is being stopped.",
        { Idle.UptimeNotice: not null } => $"The instance is about to be stopped: it has been up for {Words.Span(policy.Idle.MaxUptime ?? TimeSpan.Zero)}.",
        { Idle.QuietNotice: not null } => $"The instance is about to be stopped: nobody has used the app for {Words.Span(policy.Idle.StopAfter ?? TimeSpan.Zero)}.",
        _ => null,
    };

    private static string DescribeApp(AgentState state, Policy policy) => state.App switch
    {
        App.Serving { Failures: 0 } serving when state.Engine.Failures > 0 && state.Engine.Problem is { } problem => $"The app serves ({ShortDigest(serving)}). {problem}",
        App.Serving { Failures: 0 } serving when state.Door.Problem is { } frontDoorProblem => $"The app serves ({ShortDigest(serving)}), and no visitor gets in. {frontDoorProblem}",
        App.Serving { Failures: 0 } serving when Rollout.IsAvoided(state, serving.Container.Image) => $"The app serves ({ShortDigest(serving)}), until the image before it takes its place.",
        App.Serving { Failures: 0 } serving when state.Verdict is { Avoids: true } verdict => $"The app serves ({ShortDigest(serving)}). {DescribeAvoided(verdict)}",
        App.Serving { Failures: 0 } serving when state.Beside is App.Starting or App.Probing => $"The app serves ({ShortDigest(serving)}); a newer one is being tried beside it.",
        App.Serving { Failures: 0 } serving when state.Tag is { Value: null, Problem: { } problem } => $"The app serves from the image on disk ({ShortDigest(serving)}), which may not be the newest. {problem}",
        App.Serving { Failures: 0 } serving => $"The app serves ({ShortDigest(serving)}).",
        App.Serving when state.Engine.Problem is { IsNoAnswer: true } problem => $"The app does not answer. {problem}",
        App.Serving serving => $"The app serves but failed {serving.Failures} of {Probing.Patience(serving, policy)} liveness probes: {serving.LastFault}.",
        App.Probing { LastFault: { } fault } => $"The app is starting: {fault}.",
        App.Probing => "The app is starting.",
        App.Starting => "The container is being started.",
        App.Stopping { Reason: StopReason.Replaced } => "The container makes room for another release.",
        App.Stopping => "The container is being stopped.",
        App.BackingOff b => $"{(state.Crashes >= policy.CrashLoopAfter && Failures.IsOfTheApp(b.Why.Problem) ? $"The app is crash-looping ({state.Crashes} in a row). " : "")}{b.Why.Problem}",
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
        if (state.Progress is { } progress)
        {
            return $"Pulling {state.Tag.Value?.Reference}: {progress.Percent} % ({Words.Bytes(progress.DownloadedBytes)} of {Words.Bytes(progress.TotalBytes)}).";
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
        Verdict.Undecided u => $"The newest image {Words.Digest(u.Image.Digest)} failed, and the one before it did too: {u.Why.What}",
        Verdict.RolledBack b => $"The newest image {Words.Digest(b.Image.Digest)} was rolled back: {b.Why.What}",
        Verdict.Quarantined q => $"The newest image {Words.Digest(q.Image.Digest)} is quarantined: {q.Why.What}",
        _ => "",
    };

    private static string ShortDigest(App.Serving serving) => Words.Digest(serving.Container.Image?.Digest ?? "unknown image");
}
