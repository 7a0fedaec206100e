using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>What a visitor is told while the app does not serve, or the machine is being switched off. The page shows it, its events carry it, and what is no browser gets a part of it.</summary>
/// <param name="Status">A word for scripts: <c>starting</c>, <c>updating</c>, <c>restarting</c>, <c>failing</c>, <c>unreachable</c>, <c>stopped</c> or <c>leaving</c>.</param>
/// <param name="Sentence">What is going on, for a stranger.</param>
/// <param name="Details">The same in the operator's words, and what to do; null when these are not for visitors.</param>
/// <param name="Steps">From nothing to an app that serves; none while it is switched off.</param>
/// <param name="Pull">Null while nothing is pulled.</param>
/// <param name="Before">How long the last start took; null when that is not known, or says nothing about this one.</param>
/// <param name="Ending">That the machine will be switched off soon; null: as far as is known it stays on, or is being switched off already.</param>
internal sealed record StatusPageModel(string Status, string Sentence, string? Details, IReadOnlyList<StatusPageStep> Steps, StatusPagePull? Pull, string? Before, string? Ending)
{
    /// <summary>For those who see one sentence alone.</summary>
    [JsonIgnore]
    public string Message => Details ?? Sentence;

    /// <summary>After how many seconds it is worth to come back.</summary>
    [JsonIgnore]
    public int RetryAfterSeconds => Status switch { "stopped" or "leaving" => 30, "updating" or "restarting" or "unreachable" => 2, _ => 5 };

    public static StatusPageModel Of(AgentState state, Policy policy, BootTimeline boot, Moment now, PageDetails details)
    {
        var isBoot = !boot.Current.IsComplete;
        var isShuttingDown = IdleStop.IsAccepted(state);
        var isStopped = isShuttingDown || (state.Hold is not null && state.Front is ContainerState.Absent) || state.Front is ContainerState.Stopping { Reason: StopReason.Requested };
        return new StatusPageModel(
            isShuttingDown ? "leaving" : isStopped ? "stopped" : StatusOf(state, policy),
            PublicMessages.Describe(state, policy),
            details == PageDetails.Full ? DetailsOf(state, policy) : null,
            isStopped ? [] : [.. StatusPageStep.Of(state, isBoot ? boot.Current : null)],
            state.PullProgress is { } progress ? StatusPagePull.Of(progress, state.PullRate, now) : null,
            isBoot && !isStopped && boot.Previous?.Steps.TryGetValue(BootMilestone.Healthy, out var took) == true ? $"The last start took {Humanize.Duration(took)}." : null,
            isShuttingDown ? null : PublicMessages.ShutdownNotice(state));
    }

    private static string StatusOf(AgentState state, Policy policy) => state.Front switch
    {
        ContainerState.Serving => "unreachable",
        ContainerState.BackingOff when state.Crashes >= policy.CrashLoopThreshold => "failing",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "updating",
        ContainerState.BackingOff or ContainerState.Stopping or ContainerState.Probing { Adopted: true } => "restarting",
        ContainerState.Starting or ContainerState.Probing => state.LastServed is null ? "starting" : "restarting",
        _ when (state.Engine.Problem ?? state.Secrets.Problem ?? state.Tag.Problem ?? state.Image.Problem) is not null => "failing",
        _ => state.LastServed is null ? "starting" : "restarting",
    };

    private static string DetailsOf(AgentState state, Policy policy) => state.Front is ContainerState.Serving { Failures: 0 } ? PublicMessages.NotResponding : Headline.Describe(state, policy);
}

/// <param name="Name">Which step.</param>
/// <param name="State"><c>done</c>, <c>now</c>, <c>waiting</c> or <c>failed</c>.</param>
/// <param name="Note">The state in words.</param>
internal sealed record StatusPageStep(string Name, string State, string Note)
{
    private const string Done = "done", Now = "now", Waiting = "waiting", Failed = "failed";

    /// <param name="agentState">The newest state.</param>
    /// <param name="boot">When this boot reached what; null: it is over.</param>
    public static IEnumerable<StatusPageStep> Of(AgentState agentState, BootRecord? boot)
    {
        var app = agentState.Front;
        var runs = app is ContainerState.Probing or ContainerState.Serving;
        var isOnDisk = agentState.Tag.Value is { } tag && agentState.Image.Value?.Digest == tag.Image.Digest;
        yield return Step("Machine", agentState.EngineIsReachable ? Done : agentState.Engine.Problem is not null ? Failed : Now, null);
        yield return Step("Credentials and secrets", StateOf(agentState.Secrets), BootMilestone.Secret);
        yield return Step("Newest version", StateOf(agentState.Tag), BootMilestone.Digest);
        yield return Step("Download", isOnDisk ? Done : agentState.Image.IsRunning && agentState.Image.Problem is null ? Now : agentState.Image.Problem is not null ? Failed : Waiting, BootMilestone.Pull);
        yield return Step("Start", runs ? Done : app is ContainerState.Starting or ContainerState.Stopping ? Now : app is ContainerState.BackingOff ? Failed : Waiting, BootMilestone.Start);
        yield return Step("Health check", app switch { ContainerState.Serving { Failures: 0 } => Done, ContainerState.Serving => Failed, ContainerState.Probing => Now, _ => Waiting }, null);

        StatusPageStep Step(string name, string state, BootMilestone? reached) => new(name, state, state switch
        {
            Done => reached is { } milestone && boot?.Steps.TryGetValue(milestone, out var at) == true ? $"after {Humanize.Duration(at)}" : "done",
            Now => "under way",
            _ => state,
        });
    }

    private static string StateOf<T>(Fetched<T> tracked)
        where T : class => tracked.Value is not null ? Done : tracked.Problem is not null ? Failed : tracked.IsRunning ? Now : Waiting;
}

/// <param name="Percent">Of the whole pull, unpacking among it; 0 to 100, and never less than before.</param>
/// <param name="Amount">How much has arrived: <c>420 MB of 1.2 GB</c>.</param>
/// <param name="Pace">How fast, and how long it still takes; empty when that is not known.</param>
internal sealed record StatusPagePull(int Percent, string Amount, string Pace)
{
    public static StatusPagePull Of(PullProgress progress, PullRate? pace, Moment now) => new(
        progress.Percent,
        $"{Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}",
        progress.DownloadedBytes >= progress.TotalBytes ? "unpacking"
        : pace?.BytesPerSecondAt(now) is not { } speed ? ""
        : $"{Humanize.Bytes((long)speed)}/s{(pace.TimeLeft(progress, now) is { } left ? $", {FormatApproximately(left)} left" : "")}");

    /// <summary>Rounded, so that it does not jump about.</summary>
    private static string FormatApproximately(TimeSpan left) => left.TotalSeconds switch
    {
        < 10 => "a few seconds",
        < 55 => $"about {Math.Ceiling(left.TotalSeconds / 10) * 10:0} s",
        < 90 => "about a minute",
        < 5400 => $"about {Math.Round(left.TotalMinutes):0} min",
        _ => $"about {Math.Round(left.TotalHours):0} h",
    };
}

/// <summary>What is no browser gets this.</summary>
internal sealed record StatusPageSummary(string Status, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusPageModel))]
[JsonSerializable(typeof(StatusPageSummary))]
internal sealed partial class StatusPageJson : JsonSerializerContext
{
    /// <summary>For a terminal or a program, where no browser reads it: quotes stand as they are.</summary>
    public static StatusPageJson Plain { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
