using RagAgent.Supervision;

namespace RagAgent.Diagnostics;

/// <summary>What is going on, in one plain sentence: the same words at the front door, in <c>status</c> and in systemd's status line.</summary>
internal static class Headline
{
    public static string Of(AgentState s, Policy policy) => IsLeaving(s, policy) is { } leaving ? $"{OfApp(s, policy)} {leaving}" : OfApp(s, policy);

    /// <summary>That the instance will be, or is being, stopped; null: neither.</summary>
    private static string? IsLeaving(AgentState s, Policy policy) => s switch
    {
        _ when policy.Idle is null => null,
        { InstanceStop.Value: not null } => "The instance is being stopped.",
        { Idle.UptimeNotice: not null } => $"The instance is about to be stopped: it has been up for {Words.Span(policy.Idle.MaxUptime ?? TimeSpan.Zero)}.",
        { Idle.QuietNotice: not null } => $"The instance is about to be stopped: nobody has used the app for {Words.Span(policy.Idle.StopAfter ?? TimeSpan.Zero)}.",
        _ => null,
    };

    private static string OfApp(AgentState s, Policy policy) => s.App switch
    {
        App.Serving { Failures: 0 } v when s.Engine.Failures > 0 && s.Engine.Problem is { } problem => $"The app serves ({Digest(v)}). {problem}",
        App.Serving { Failures: 0 } v when s.Door.Problem is { } closed => $"The app serves ({Digest(v)}), and no visitor gets in. {closed}",
        App.Serving { Failures: 0 } v when Rollout.IsAvoided(s, v.Container.Image) => $"The app serves ({Digest(v)}), until the image before it takes its place.",
        App.Serving { Failures: 0 } v when s.Verdict is { Avoids: true } verdict => $"The app serves ({Digest(v)}). {SetAside(verdict)}",
        App.Serving { Failures: 0 } v when s.Beside is App.Starting or App.Probing => $"The app serves ({Digest(v)}); a newer one is being tried beside it.",
        App.Serving { Failures: 0 } v when s.Tag is { Value: null, Problem: { } problem } => $"The app serves from the image on disk ({Digest(v)}), which may not be the newest. {problem}",
        App.Serving { Failures: 0 } v => $"The app serves ({Digest(v)}).",
        App.Serving when s.Engine.Problem is { IsNoAnswer: true } problem => $"The app does not answer. {problem}",
        App.Serving v => $"The app serves but failed {v.Failures} of {Probing.Patience(v, policy)} liveness probes: {v.LastFault}.",
        App.Probing { LastFault: { } fault } => $"The app is starting: {fault}.",
        App.Probing => "The app is starting.",
        App.Starting => "The container is being started.",
        App.Stopping { Reason: StopReason.Replaced } => "The container makes room for another release.",
        App.Stopping => "The container is being stopped.",
        App.BackingOff b => $"{(s.Crashes >= policy.CrashLoopAfter && Failures.IsOfTheApp(b.Why.Problem) ? $"The app is crash-looping ({s.Crashes} in a row). " : "")}{b.Why.Problem}",
        _ when s.Hold is { } hold => $"The app is stopped by {(hold == Hold.Operator ? "'ragagent stop'" : "'docker stop'")}. Start it with 'ragagent start'.",
        _ => Waiting(s),
    };

    /// <summary>What the start waits for: the first thing that is missing, in the order in which one needs the other.</summary>
    private static string Waiting(AgentState s)
    {
        if (s.Engine is { Value: null, Problem: null })
        {
            return "Docker Engine is being asked what runs.";
        }
        var problems = new[] { s.Engine.Problem, s.Secrets.Problem, s.Tag.Problem, s.Image.Problem }.OfType<Problem>().ToArray();
        if (problems.Length > 0)
        {
            return problems[0].ToString();
        }
        if (s.Progress is { } progress)
        {
            return $"Pulling {s.Tag.Value?.Reference}: {progress.Percent} % ({Words.Bytes(progress.DownloadedBytes)} of {Words.Bytes(progress.TotalBytes)}).";
        }
        return s switch
        {
            { Image.IsRunning: true } => $"Preparing to pull {s.Tag.Value?.Reference}.",
            { Tag.Value: null } => "Asking the registry what the newest image is.",
            { Secrets.Value: null } => "Reading the secrets.",
            _ => "The container is about to be started.",
        };
    }

    private static string SetAside(Verdict verdict) => verdict switch
    {
        Verdict.Undecided u => $"The newest image {Words.Digest(u.Image.Digest)} failed, and the one before it did too: {u.Why.What}",
        Verdict.RolledBack b => $"The newest image {Words.Digest(b.Image.Digest)} was rolled back: {b.Why.What}",
        Verdict.Quarantined q => $"The newest image {Words.Digest(q.Image.Digest)} is quarantined: {q.Why.What}",
        _ => "",
    };

    private static string Digest(App.Serving serving) => Words.Digest(serving.Container.Image?.Digest ?? "unknown image");
}
