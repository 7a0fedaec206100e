using System.Globalization;
using System.Text;
using RagAgent.Common;

namespace RagAgent.Reporting;

/// <summary>Formats the status document for people at a terminal.</summary>
internal static class StatusText
{
    private const int NameWidth = 10;

    /// <param name="status">The document to format.</param>
    /// <param name="width">The terminal's, in characters; null: lines are not wrapped.</param>
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
        Line("app", FormatApp(status.App));
        Line("url", status.Dns is { } dns ? FormatDns(dns) : null);
        Line("image", status.Image.Reference);
        Line("digest", status.App.Digest is { } digest ? digest + FormatNewest(status.App.Newest) : null);
        Line("newest", status.Image.Digest is { } newest && newest != status.App.Digest ? newest : null);
        Line("rollout", FormatRollout(status.Rollout));
        Line("last good", string.Join(", ", status.Rollout.LastGood.Select(Humanize.Digest)));
        Line("set aside", status.Rollout.SetAside is { } avoided ? FormatSetAside(avoided) : null);
        Line("checked", status.Image.CheckedAt is { } checkedAt ? FormatChecked(checkedAt, status.Image.NextCheck) : null);
        Line("pull", status.Image.Pull is { } pull ? FormatPull(pull) : null);
        Line("secrets", string.Join(", ", status.Secrets.Versions));
        Line("engine", status.Engine.Version is { } engine ? $"Docker {engine}{(status.Engine.Answers ? "" : ", does not answer")}" : null);
        Line("http", $"port {status.FrontDoor.Port}, {(status.FrontDoor.Open ? FormatSessions(status.App) : "closed")}");
        Line("https", status.FrontDoor.Https is { } https ? FormatHttps(https) : null);
        Line("session", status.App.Session is "unreadable" ? "could not be read: the app does not speak Streamlit's protocol" : null);
        Line("errors", status.App.Exceptions is { } errors ? FormatExceptions(errors) : null);
        Line("crashes", status.App.Crashes > 0 ? FormatCrashes(status.App) : null);
        Line("idle", status.Idle is { } idle ? FormatIdle(idle) : null);
        Line("request", status.Update switch
        {
            { Pending: not null } => "in progress",
            { Last: { } last } => FormatLastRequest(last),
            _ => null,
        });
        foreach (var problem in status.Problems)
        {
            var nextTry = problem.NextTry is { } at ? $" Next try {FormatTime(at)}." : "";
            Line("problem", $"{problem.What} {problem.Remedy}{nextTry}");
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

    /// <summary>When this boot reached each step, and in parentheses the one before it.</summary>
    private static void AppendBoot(StringBuilder text, BootsStatus? boots)
    {
        if (boots is not { This: { Steps.Count: > 0 } boot })
        {
            return;
        }
        var before = boots.Previous?.Steps.ToDictionary(step => step.Name, step => step.Seconds) ?? [];
        var compared = boots.Previous is { } previous ? $" (the boot before it: {FormatTime(previous.Began)})" : "";
        text.Append(CultureInfo.InvariantCulture, $"\nboot      {FormatTime(boot.Began)}, in seconds since then{compared}\n");
        foreach (var (name, seconds) in boot.Steps)
        {
            var earlier = before.TryGetValue(name, out var then) ? string.Create(CultureInfo.InvariantCulture, $"   ({then:0.0})") : "";
            text.Append(CultureInfo.InvariantCulture, $"{"",NameWidth}{name,-12}{seconds,8:0.0}{earlier}\n");
        }
    }

    private static string FormatApp(AppStatus app)
    {
        var since = app.Since is { } at ? $" since {FormatTime(at)}" : "";
        var container = app.Container is { } id ? $", container {id}" : "";
        return $"{app.State}{since}{container}{(app.Release is { } release ? $", release {release}" : "")}";
    }

    private static string FormatDns(DnsStatus dns) =>
        $"{dns.Url} ({(dns.Addresses.Count > 0 ? string.Join(", ", dns.Addresses) : "not known to point here")})";

    private static string FormatRollout(RolloutStatus rollout)
    {
        var role = rollout.Phase is "candidate" or "gate" ? "candidate" : "second container";
        var candidate = rollout.Candidate is { } id ? $", {role} {id}" : "";
        var good = rollout.WatchUntil is { } goodFrom ? $", good from {FormatTime(goodFrom)}" : "";
        return $"{rollout.Phase}{candidate}{good}{(rollout.Wait is { } wait ? FormatWait(wait) : "")}";
    }

    private static string FormatWait(WaitStatus wait)
    {
        var sessions = $"{wait.Sessions} {(wait.Sessions == 1 ? "session" : "sessions")} in use";
        var lastUsed = wait.LastActivity is { } at ? $", last used {FormatTime(at)}" : "";
        return $" for {sessions}{lastUsed}, since {FormatTime(wait.Since)}, until {FormatTime(wait.Until)} at the latest";
    }

    private static string FormatSetAside(SetAsideStatus avoided) =>
        $"{Humanize.Digest(avoided.Digest)}, {avoided.Verdict}: {avoided.Why.What}";

    private static string FormatChecked(DateTimeOffset at, DateTimeOffset? next) =>
        FormatTime(at) + (next is { } then ? $", next {FormatTime(then)}" : "");

    private static string FormatPull(PullStatus pull) =>
        $"{pull.Percent} %, {Humanize.Bytes(pull.DownloadedBytes)} of {Humanize.Bytes(pull.TotalBytes)}";

    private static string FormatSessions(AppStatus app) =>
        $"{app.Sessions} {(app.Sessions == 1 ? "session" : "sessions")} open{(app.Sessions > 0 ? $", {app.SessionsInUse} in use" : "")}";

    private static string FormatHttps(HttpsStatus https) => https.ValidUntil is { } end
        ? $"port {https.Port}, for {string.Join(", ", https.Names)}, valid until {FormatTime(end)}"
        : $"port {https.Port}, no certificate";

    private static string FormatExceptions(ExceptionsStatus errors) =>
        $"{errors.Count} uncaught {(errors.Count == 1 ? "exception" : "exceptions")} in visitors' sessions" +
        (errors.Last is { } last ? $", the last: {last}" : "");

    private static string FormatCrashes(AppStatus app) =>
        $"{app.Crashes} in a row{(app.NextStart is { } start ? $", next start {FormatTime(start)}" : "")}";

    private static string FormatIdle(IdleStatus idle) => idle switch
    {
        { Stopping: true } => "the instance is stopping",
        { StopsAt: { } at, Because: "max-uptime" } =>
            $"last used {FormatTime(idle.LastActivity)}; the instance stops {FormatTime(at)} because of its uptime",
        { StopsAt: { } at } =>
            $"last used {FormatTime(idle.LastActivity)}; the instance stops {FormatTime(at)} unless someone uses the app",
        _ => $"last used {FormatTime(idle.LastActivity)}",
    };

    private static string FormatLastRequest(UpdateResult last) => last switch
    {
        { Problem: { } problem } => $"the last {last.Kind} failed: {problem.What} {problem.Remedy}",
        { Changed: true } => $"the last {last.Kind} switched to {Humanize.Digest(last.Digest ?? "")}",
        { Kind: "update" } => "the last update found nothing newer",
        _ => $"the last {last.Kind} succeeded",
    };

    private static string FormatNewest(bool? newest) => newest switch
    {
        true => " (the newest)",
        false => " (a newer one is known)",
        null => "",
    };

    /// <summary>In this machine's time zone, which is part of the text.</summary>
    private static string FormatTime(DateTimeOffset at) => at.ToLocalTime() is var local && local.Offset == TimeSpan.Zero
        ? local.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : local.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
