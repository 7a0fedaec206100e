using System.Globalization;
using System.Text;
using RagAgent.Cli;
using RagAgent.Common;

namespace RagAgent.Reporting;

/// <summary>The status for people.</summary>
internal static class StatusText
{
    private const int NameWidth = 10;

    /// <param name="status">What is shown.</param>
    /// <param name="width">Of the terminal; null: lines are never broken.</param>
    public static string Format(StatusDocument status, int? width = null) => LineWrap.Wrap(Format(status), width, NameWidth);

    private static string Format(StatusDocument status)
    {
        var text = new StringBuilder();
        void Line(string name, string? value)
        {
            if (value is { Length: > 0 })
            {
                text.Append(CultureInfo.InvariantCulture, $"{name,-NameWidth}{value}\n");
            }
        }
        text.Append(status.Headline).Append("\n\n");
        Line("app", $"{status.App.State}{FormatSince(status.App.Since)}{(status.App.Container is { } c ? $", container {c}" : "")}{(status.App.Release is { } r ? $", release {r}" : "")}");
        Line("url", status.Dns is { } dns ? $"{dns.Url}{(dns.Addresses.Count > 0 ? $" ({string.Join(", ", dns.Addresses)})" : ", which is not known to point here")}" : null);
        Line("image", status.Image.Reference);
        Line("digest", status.App.Digest is { } digest ? digest + FormatNewest(status.App.Newest) : null);
        Line("newest", status.Image.Digest is { } newest && newest != status.App.Digest ? newest : null);
        Line("rollout", status.Rollout.Phase + (status.Rollout is { Candidate: { } candidate } ? $", {(status.Rollout.Phase is "candidate" or "gate" ? "candidate" : "beside it")} {candidate}" : "") + (status.Rollout.WatchUntil is { } until ? $", good from {FormatTime(until)} on" : ""));
        Line("last good", string.Join(", ", status.Rollout.LastGood.Select(Humanize.Digest)));
        Line("set aside", status.Rollout.SetAside is { } bad ? $"{Humanize.Digest(bad.Digest)}, {bad.Verdict}: {bad.Why.What}" : null);
        Line("checked", status.Image.CheckedAt is { } at ? FormatTime(at) + (status.Image.NextCheck is { } next ? $", next {FormatTime(next)}" : "") : null);
        Line("pull", status.Image.Pull is { } pull ? $"{pull.Percent} %, {Humanize.Bytes(pull.DownloadedBytes)} of {Humanize.Bytes(pull.TotalBytes)}" : null);
        Line("secrets", string.Join(", ", status.Secrets.Versions));
        Line("engine", status.Engine.Version is { } engine ? $"Docker {engine}{(status.Engine.Answers ? "" : ", does not answer")}" : null);
        Line("door", $"port {status.FrontDoor.Port}{(status.FrontDoor.Open ? $", {status.App.Sessions} {(status.App.Sessions == 1 ? "session" : "sessions")} open" : ", closed")}");
        Line("https", status.FrontDoor.Https is { } https ? $"port {https.Port}, {(https.ValidUntil is { } end ? $"for {string.Join(", ", https.Names)}, valid until {FormatTime(end)}" : "no certificate")}" : null);
        Line("crashes", status.App.Crashes > 0 ? $"{status.App.Crashes} in a row{(status.App.NextStart is { } start ? $", next start {FormatTime(start)}" : "")}" : null);
        Line("idle", status.Idle is { } idle ? FormatIdle(idle) : null);
        Line("request", status.Update.Pending is not null ? "under way" : status.Update.Last is { } last ? FormatLastRequest(last) : null);
        foreach (var problem in status.Problems)
        {
            Line("problem", $"{problem.What} {problem.Remedy}{(problem.NextTry is { } retry ? $" Next try {FormatTime(retry)}." : "")}");
        }
        if (status.LastFailure is { } failure)
        {
            Line("failed", $"{FormatTime(failure.At)}: {failure.Problem.What} {failure.Problem.Remedy}");
            foreach (var line in failure.LastLines)
            {
                Line("", "| " + line);
            }
        }
        AppendBoot(text, status.Boot);
        return text.ToString();
    }

    /// <summary>What the boot took, step by step, beside the one before it.</summary>
    private static void AppendBoot(StringBuilder text, BootsStatus? boots)
    {
        if (boots is not { This: { Steps.Count: > 0 } boot })
        {
            return;
        }
        var before = boots.Previous?.Steps.ToDictionary(step => step.Name, step => step.Seconds) ?? [];
        text.Append(CultureInfo.InvariantCulture, $"\nboot      {FormatTime(boot.Began)}, in seconds from then on{(boots.Previous is { } previous ? $" (beside that of {FormatTime(previous.Began)})" : "")}\n");
        foreach (var (name, seconds) in boot.Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"{"",10}{name,-12}{seconds,8:0.0}{(before.TryGetValue(name, out var then) ? $"   ({then:0.0})" : "")}\n");
        }
    }

    private static string FormatIdle(IdleStatus idle) => idle switch
    {
        { Stopping: true } => "the instance is being stopped",
        { StopsAt: { } at, Because: "max-uptime" } => $"last used {FormatTime(idle.LastActivity)}; the instance stops {FormatTime(at)}, for its uptime",
        { StopsAt: { } at } => $"last used {FormatTime(idle.LastActivity)}; the instance stops {FormatTime(at)} unless somebody comes",
        _ => $"last used {FormatTime(idle.LastActivity)}",
    };

    private static string FormatLastRequest(UpdateResult last) => last switch
    {
        { Problem: { } problem } => $"the last {last.Kind} failed: {problem.What} {problem.Remedy}",
        { Changed: true } => $"the last {last.Kind} brought {Humanize.Digest(last.Digest ?? "")}",
        { Kind: "update" } => "the last update found nothing newer",
        _ => $"the last {last.Kind} is done",
    };

    private static string FormatNewest(bool? newest) => newest switch
    {
        true => " (the newest)",
        false => " (a newer one is known)",
        null => "",
    };

    private static string FormatSince(DateTimeOffset? since) => since is { } at ? $" since {FormatTime(at)}" : "";

    /// <summary>In this machine's zone, which is said.</summary>
    private static string FormatTime(DateTimeOffset at) => at.ToLocalTime() is var local && local.Offset == TimeSpan.Zero
        ? local.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : local.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
