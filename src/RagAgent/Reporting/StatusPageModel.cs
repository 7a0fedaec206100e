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

/// <summary>The status page while the app does not serve or the machine shuts down. Programs get a summary of it.</summary>
/// <param name="Status">
/// For scripts: <c>starting</c>, <c>updating</c>, <c>restarting</c>, <c>failing</c>, <c>unreachable</c>, <c>stopped</c> or <c>leaving</c>.
/// </param>
/// <param name="Sentence">What is going on, for strangers.</param>
/// <param name="Details">The same for operators, with what to do; null if clients may not see it.</param>
/// <param name="Steps">From nothing to a serving app; empty while the app is stopped.</param>
/// <param name="Pull">Null while nothing is pulled.</param>
/// <param name="Before">How long the last start took; null if unknown or not comparable.</param>
/// <param name="Ending">That the machine will shut down soon; null if it keeps running, or is already shutting down.</param>
internal sealed record StatusPageModel(
    string Status,
    string Sentence,
    string? Details,
    IReadOnlyList<StatusPageStep> Steps,
    StatusPagePull? Pull,
    string? Before,
    string? Ending)
{
    /// <summary>For clients that show only one sentence.</summary>
    [JsonIgnore]
    public string Message => Details ?? Sentence;

    /// <summary>For the <c>Retry-After</c> header.</summary>
    [JsonIgnore]
    public int RetryAfterSeconds => Status switch
    {
        "stopped" or "leaving" => 30,
        "updating" or "restarting" or "unreachable" => 2,
        _ => 5,
    };

    public static StatusPageModel Of(AgentState state, Policy policy, BootTimeline boot, Moment now, PageDetails details)
    {
        var isBoot = !boot.Current.IsComplete;
        var isShuttingDown = IdleStop.IsAccepted(state);
        var isStopped = isShuttingDown || state is { Hold: not null, Front: ContainerState.Absent }
            or { Front: ContainerState.Stopping { Reason: StopReason.Requested } };
        return new StatusPageModel(
            isShuttingDown ? "leaving" : isStopped ? "stopped" : StatusOf(state, policy),
            PublicMessages.Describe(state, policy),
            details == PageDetails.Full ? DetailsOf(state, policy) : null,
            isStopped ? [] : [.. StatusPageStep.Of(state, isBoot ? boot.Current : null)],
            state.Pull.Progress is { } progress ? StatusPagePull.Of(progress, state.Pull.Rate, now) : null,
            isBoot && !isStopped && boot.Previous?.Steps.TryGetValue(BootMilestone.Healthy, out var took) == true
                ? $"The last start took {Humanize.Duration(took)}."
                : null,
            isShuttingDown ? null : PublicMessages.ShutdownNotice(state));
    }

    private static string StatusOf(AgentState state, Policy policy) => state.Front switch
    {
        ContainerState.Serving => "unreachable",
        ContainerState.BackingOff when state.Failures.Crashes >= policy.CrashLoopThreshold => "failing",
        ContainerState.Stopping { Reason: StopReason.Replaced } => "updating",
        ContainerState.Probing { Session: not null } => "failing",
        ContainerState.BackingOff or ContainerState.Stopping or ContainerState.Probing { Adopted: true } => "restarting",
        ContainerState.Starting or ContainerState.Probing => state.LastServed is null ? "starting" : "restarting",
        _ when (state.Engine.Problem ?? state.Secrets.Problem ?? state.Tag.Problem ?? state.Image.Problem) is not null => "failing",
        _ => state.LastServed is null ? "starting" : "restarting",
    };

    private static string DetailsOf(AgentState state, Policy policy) =>
        state.Front is ContainerState.Serving { Failures: 0 } ? PublicMessages.NotResponding : Headline.Describe(state, policy);
}

/// <param name="Name">The step.</param>
/// <param name="State"><c>done</c>, <c>now</c>, <c>waiting</c> or <c>failed</c>.</param>
/// <param name="Note">The state in words.</param>
internal sealed record StatusPageStep(string Name, string State, string Note)
{
    private const string Done = "done", Now = "now", Waiting = "waiting", Failed = "failed";

    /// <param name="state">The newest state.</param>
    /// <param name="boot">When this boot reached each milestone; null if the boot is over.</param>
    public static IEnumerable<StatusPageStep> Of(AgentState state, BootRecord? boot)
    {
        yield return Step("Machine", state.EngineIsReachable ? Done : state.Engine.Problem is not null ? Failed : Now, null);
        yield return Step("Credentials and secrets", StateOf(state.Secrets), BootMilestone.Secret);
        yield return Step("Newest version", StateOf(state.Tag), BootMilestone.Digest);
        yield return Step("Download", DownloadState(state), BootMilestone.Pull);
        yield return Step("Start", StartState(state.Front), BootMilestone.Start);
        yield return Step("Health check", HealthState(state.Front), null);

        StatusPageStep Step(string name, string stepState, BootMilestone? milestone) => new(name, stepState, stepState switch
        {
            Done when milestone is { } reached && boot?.Steps.TryGetValue(reached, out var at) == true => $"after {Humanize.Duration(at)}",
            Now => "in progress",
            _ => stepState,
        });
    }

    private static string DownloadState(AgentState state) => state switch
    {
        { Tag.Value: { } tag } when state.Image.Value?.Digest == tag.Image.Digest => Done,
        { Image.Problem: not null } => Failed,
        { Image.IsRunning: true } => Now,
        _ => Waiting,
    };

    private static string StartState(ContainerState front) => front switch
    {
        ContainerState.Probing or ContainerState.Serving => Done,
        ContainerState.Starting or ContainerState.Stopping => Now,
        ContainerState.BackingOff => Failed,
        _ => Waiting,
    };

    private static string HealthState(ContainerState front) => front switch
    {
        ContainerState.Serving { Failures: 0 } => Done,
        ContainerState.Serving or ContainerState.Probing { Session: not null } => Failed,
        ContainerState.Probing => Now,
        _ => Waiting,
    };

    private static string StateOf<T>(Fetched<T> fetched)
        where T : class => fetched switch
        {
            { Value: not null } => Done,
            { Problem: not null } => Failed,
            { IsRunning: true } => Now,
            _ => Waiting,
        };
}

/// <param name="Percent">Of the whole pull, including unpacking: 0 to 100. Never decreases.</param>
/// <param name="Amount">What has been downloaded: <c>420 MB of 1.2 GB</c>.</param>
/// <param name="Pace">Speed and time left; empty if unknown.</param>
internal sealed record StatusPagePull(int Percent, string Amount, string Pace)
{
    public static StatusPagePull Of(PullProgress progress, PullRate? pace, Moment now) => new(
        progress.Percent,
        $"{Humanize.Bytes(progress.DownloadedBytes)} of {Humanize.Bytes(progress.TotalBytes)}",
        progress.DownloadedBytes >= progress.TotalBytes ? "unpacking" : FormatPace(progress, pace, now));

    private static string FormatPace(PullProgress progress, PullRate? pace, Moment now)
    {
        if (pace?.BytesPerSecondAt(now) is not { } speed)
        {
            return "";
        }
        var left = pace.TimeLeft(progress, now) is { } time ? $", {FormatApproximately(time)} left" : "";
        return $"{Humanize.Bytes((long)speed)}/s{left}";
    }

    /// <summary>Rounded, so that it does not change all the time.</summary>
    private static string FormatApproximately(TimeSpan left) => left.TotalSeconds switch
    {
        < 10 => "a few seconds",
        < 55 => $"about {Math.Ceiling(left.TotalSeconds / 10) * 10:0} s",
        < 90 => "about a minute",
        < 5400 => $"about {Math.Round(left.TotalMinutes):0} min",
        _ => $"about {Math.Round(left.TotalHours):0} h",
    };
}

/// <summary>What programs other than browsers get.</summary>
internal sealed record StatusPageSummary(string Status, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusPageModel))]
[JsonSerializable(typeof(StatusPageSummary))]
internal sealed partial class StatusPageJson : JsonSerializerContext
{
    /// <summary>For terminals and programs: quotes are not escaped as for browsers.</summary>
    public static StatusPageJson Plain { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
