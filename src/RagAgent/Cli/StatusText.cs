using System.Globalization;
using System.Text;
using RagAgent.Control;
using RagAgent.Supervision;

namespace RagAgent.Cli;

/// <summary>The status for people.</summary>
internal static class StatusText
{
    private const int NameWidth = 10;

    /// <param name="s">What is shown.</param>
    /// <param name="width">Of the terminal; null: lines are never broken.</param>
    public static string Of(StatusDocument s, int? width = null) => LineWrap.Wrap(Of(s), width, NameWidth);

    private static string Of(StatusDocument s)
    {
        var text = new StringBuilder();
        void Line(string name, string? value)
        {
            if (value is { Length: > 0 })
            {
                text.Append(CultureInfo.InvariantCulture, $"{name,-NameWidth}{value}\n");
            }
        }
        text.Append(s.Headline).Append("\n\n");
        Line("app", $"{s.App.State}{Since(s.App.Since)}{(s.App.Container is { } c ? $", container {c}" : "")}{(s.App.Release is { } r ? $", release {r}" : "")}");
        Line("url", s.Dns is { } dns ? $"{dns.Url}{(dns.Addresses.Count > 0 ? $" ({string.Join(", ", dns.Addresses)})" : ", which is not known to point here")}" : null);
        Line("image", s.Image.Reference);
        Line("digest", s.App.Digest is { } digest ? digest + Newest(s.App.Newest) : null);
        Line("newest", s.Image.Digest is { } newest && newest != s.App.Digest ? newest : null);
        Line("rollout", s.Rollout.Phase + (s.Rollout is { Candidate: { } beside } ? $", {(s.Rollout.Phase is "candidate" or "gate" ? "candidate" : "beside it")} {beside}" : "") + (s.Rollout.WatchUntil is { } until ? $", good from {At(until)} on" : ""));
        Line("last good", string.Join(", ", s.Rollout.LastGood.Select(Words.Digest)));
        Line("set aside", s.Rollout.SetAside is { } bad ? $"{Words.Digest(bad.Digest)}, {bad.Verdict}: {bad.Why.What}" : null);
        Line("checked", s.Image.CheckedAt is { } at ? At(at) + (s.Image.NextCheck is { } next ? $", next {At(next)}" : "") : null);
        Line("pull", s.Image.Pull is { } pull ? $"{pull.Percent} %, {Words.Bytes(pull.DownloadedBytes)} of {Words.Bytes(pull.TotalBytes)}" : null);
        Line("secrets", string.Join(", ", s.Secrets.Versions));
        Line("engine", s.Engine.Version is { } engine ? $"Docker {engine}{(s.Engine.Answers ? "" : ", does not answer")}" : null);
        Line("door", $"port {s.FrontDoor.Port}{(s.FrontDoor.Open ? $", {s.App.Sessions} {(s.App.Sessions == 1 ? "session" : "sessions")} open" : ", closed")}");
        Line("https", s.FrontDoor.Https is { } https ? $"port {https.Port}, {(https.ValidUntil is { } end ? $"for {string.Join(", ", https.Names)}, valid until {At(end)}" : "no certificate")}" : null);
        Line("crashes", s.App.Crashes > 0 ? $"{s.App.Crashes} in a row{(s.App.NextStart is { } start ? $", next start {At(start)}" : "")}" : null);
        Line("idle", s.Idle is { } idle ? Idle(idle) : null);
        Line("request", s.Update.Pending is not null ? "under way" : s.Update.Last is { } last ? Ended(last) : null);
        foreach (var problem in s.Problems)
        {
            Line("problem", $"{problem.What} {problem.Remedy}{(problem.NextTry is { } retry ? $" Next try {At(retry)}." : "")}");
        }
        if (s.LastFailure is { } failure)
        {
            Line("failed", $"{At(failure.At)}: {failure.Problem.What} {failure.Problem.Remedy}");
            foreach (var line in failure.LastLines)
            {
                Line("", "| " + line);
            }
        }
        AddBoot(text, s.Boot);
        return text.ToString();
    }

    /// <summary>What the boot took, step by step, beside the one before it.</summary>
    private static void AddBoot(StringBuilder text, BootsStatus? boots)
    {
        if (boots is not { This: { Steps.Count: > 0 } boot })
        {
            return;
        }
        var before = boots.Previous?.Steps.ToDictionary(step => step.Name, step => step.Seconds) ?? [];
        text.Append(CultureInfo.InvariantCulture, $"\nboot      {At(boot.Began)}, in seconds from then on{(boots.Previous is { } previous ? $" (beside that of {At(previous.Began)})" : "")}\n");
        foreach (var (name, seconds) in boot.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"{"",10}{name,-12}{seconds,8:0.0}{(before.TryGetValue(name, out var then) ? $"   ({then:0.0})" : "")}\n");
        }
    }

    private static string Idle(IdleStatus idle) => idle switch
    {
        { Stopping: true } => "the instance is being stopped",
        { StopsAt: { } at, Because: "max-uptime" } => $"last used {At(idle.LastActivity)}; the instance stops {At(at)}, for its uptime",
        { StopsAt: { } at } => $"last used {At(idle.LastActivity)}; the instance stops {At(at)} unless somebody comes",
        _ => $"last used {At(idle.LastActivity)}",
    };

    private static string Ended(UpdateResult last) => last switch
    {
        { Problem: { } problem } => $"the last {last.Kind} failed: {problem.What} {problem.Remedy}",
        { Changed: true } => $"the last {last.Kind} brought {Words.Digest(last.Digest ?? "")}",
        { Kind: "update" } => "the last update found nothing newer",
        _ => $"the last {last.Kind} is done",
    };

    private static string Newest(bool? newest) => newest switch
    {
        true => " (the newest)",
        false => " (a newer one is known)",
        null => "",
    };

    private static string Since(DateTimeOffset? since) => since is { } at ? $" since {At(at)}" : "";

    /// <summary>In this machine's zone, which is said.</summary>
    private static string At(DateTimeOffset at) => at.ToLocalTime() is var local && local.Offset == TimeSpan.Zero
        ? local.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : local.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
