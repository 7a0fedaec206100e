using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagAgent.Reporting;

/// <summary>What <c>ragagent status --json</c> prints. Keys are only ever added. Times are UTC, by the wall clock as it is set now.</summary>
internal sealed record StatusDocument(
    string Version,
    long Revision,
    string Headline,
    AppStatus App,
    ImageStatus Image,
    SecretsStatus Secrets,
    EngineStatus Engine,
    FrontDoorStatus FrontDoor,
    UpdateStatus Update,
    RolloutStatus Rollout,
    FailureStatus? LastFailure,
    IReadOnlyList<ProblemStatus> Problems,
    BootsStatus? Boot = null,
    IdleStatus? Idle = null,
    DnsStatus? Dns = null,
    string? ConfigFingerprint = null);

/// <summary>The name of the app; null in the document when it has none.</summary>
/// <param name="Name">As in <c>dns.name</c>.</param>
/// <param name="Url">Where visitors find the app by it.</param>
/// <param name="Addresses">Of this machine, that the name points at; none: not yet, or not known (see <c>problems</c>).</param>
internal sealed record DnsStatus(string Name, string Url, IReadOnlyList<string> Addresses);

/// <summary>Of an instance that stops itself; null in the document when it does not.</summary>
/// <param name="LastActivity">When a visitor or an operator last did something; the agent's start when nobody has since.</param>
/// <param name="StopsAt">When the instance is stopped, if nobody comes and nothing is under way then; null: not before the app has served.</param>
/// <param name="Because"><c>idle</c> or <c>max-uptime</c>: what it is stopped for then.</param>
/// <param name="Noticed">The notice has been given: <c>stopsAt</c> is near.</param>
/// <param name="Stopping">EC2 has accepted the stop.</param>
internal sealed record IdleStatus(DateTimeOffset LastActivity, DateTimeOffset? StopsAt, string? Because, bool Noticed, bool Stopping);

/// <param name="This">The boot that goes on.</param>
/// <param name="Previous">The one before it; null: none is known.</param>
internal sealed record BootsStatus(BootStatus This, BootStatus? Previous);

/// <param name="Began">When the kernel started; when the agent did, if that was so much later that it was no part of the boot.</param>
/// <param name="Steps">What was reached, in the order in which it was: <c>agent</c>, <c>credentials</c>, <c>secret</c>, <c>token</c>, <c>digest</c>, <c>pull</c>, <c>start</c>, <c>healthy</c>.</param>
internal sealed record BootStatus(DateTimeOffset Began, IReadOnlyList<BootStepStatus> Steps);

/// <param name="Name">What was reached.</param>
/// <param name="Seconds">Since the kernel started.</param>
internal sealed record BootStepStatus(string Name, double Seconds);

/// <param name="State"><c>unknown</c>, <c>absent</c>, <c>starting</c>, <c>serving</c>, <c>unhealthy</c>, <c>stopping</c>, <c>stopped</c> (it is to stay so) or <c>backoff</c> (it ended; see <c>lastFailure</c>).</param>
/// <param name="Since">When it began to serve, or was started, if this agent found it running; null unless it serves.</param>
/// <param name="Container">The engine's short id.</param>
/// <param name="Release">Digest, configuration and secrets as one id.</param>
/// <param name="Digest">Of the image that runs.</param>
/// <param name="Newest">Whether that is what the tag was at the last look-up; null while that is not known.</param>
/// <param name="Crashes">In a row.</param>
/// <param name="CrashLooping">So many that an operator should look.</param>
/// <param name="Sessions">WebSockets that visitors hold open.</param>
/// <param name="NextStart">While in <c>backoff</c>.</param>
/// <param name="StoppedBy">Who wants it stopped: <c>operator</c> or <c>hand</c>; null: nobody.</param>
internal sealed record AppStatus(
    string State, DateTimeOffset? Since, string? Container, string? Release, string? Digest, bool? Newest, int Crashes, bool CrashLooping, int Sessions, DateTimeOffset? NextStart,
    string? StoppedBy = null);

/// <param name="Phase"><c>resolve</c>, <c>pull</c>, <c>waiting</c>, <c>candidate</c>, <c>gate</c>, <c>swap</c>, <c>watch</c>, <c>rolled-back</c>, <c>undecided</c> or <c>settled</c>.</param>
/// <param name="Candidate">The short id of the container beside the one that serves.</param>
/// <param name="WatchUntil">When what serves now will count as good; null: it does, or it does not serve.</param>
/// <param name="LastGood">Digests of images that have proven themselves, the newest first.</param>
/// <param name="SetAside">The newest image, when it is not run because it failed.</param>
internal sealed record RolloutStatus(string Phase, string? Candidate, DateTimeOffset? WatchUntil, IReadOnlyList<string> LastGood, SetAsideStatus? SetAside);

/// <param name="Digest">Of the image.</param>
/// <param name="Verdict"><c>rolled-back</c> (the one before it is being watched), <c>quarantined</c>, or <c>undecided</c> (both failed).</param>
/// <param name="Why">What it did wrong.</param>
internal sealed record SetAsideStatus(string Digest, string Verdict, ProblemStatus Why);

/// <param name="Reference">As configured, with its registry.</param>
/// <param name="Digest">What the tag means for this machine.</param>
/// <param name="TagDigest">What the tag points to; differs when that is an index.</param>
/// <param name="CheckedAt">When the registry last answered.</param>
/// <param name="NextCheck">When it is asked again by itself.</param>
/// <param name="Pull">The pull that is under way.</param>
internal sealed record ImageStatus(string? Reference, string? Digest, string? TagDigest, DateTimeOffset? CheckedAt, DateTimeOffset? NextCheck, PullStatus? Pull);

internal sealed record PullStatus(int Percent, long DownloadedBytes, long TotalBytes);

internal sealed record SecretsStatus(IReadOnlyList<string> Versions, DateTimeOffset? ReadAt);

internal sealed record EngineStatus(string? Version, bool Answers);

/// <param name="Port">Of HTTP.</param>
/// <param name="Open">Visitors get in.</param>
/// <param name="Https">Null: there is none.</param>
internal sealed record FrontDoorStatus(int Port, bool Open, HttpsStatus? Https = null);

/// <param name="Port">Of HTTPS.</param>
/// <param name="Names">What the certificate in use is for; empty: there is none yet.</param>
/// <param name="ValidUntil">How long it is.</param>
internal sealed record HttpsStatus(int Port, IReadOnlyList<string> Names, DateTimeOffset? ValidUntil);

/// <param name="Pending">The number of the operator's request that is under way: an update, rollback, unquarantine, stop or start.</param>
/// <param name="Last">How the last one ended.</param>
internal sealed record UpdateStatus(long? Pending, UpdateResult? Last);

internal sealed record UpdateResult(long Id, bool Changed, string? Digest, ProblemStatus? Problem, string Kind = "update");

/// <param name="At">When the agent learned of it.</param>
/// <param name="Release">That failed.</param>
/// <param name="Problem">In an operator's words.</param>
/// <param name="LastLines">The end of its output.</param>
/// <param name="Exit">How its process ended; null when it did not end by itself.</param>
internal sealed record FailureStatus(DateTimeOffset At, string? Release, ProblemStatus Problem, IReadOnlyList<string> LastLines, ExitStatus? Exit = null);

/// <param name="Code">Its exit code.</param>
/// <param name="Signal">The signal that ended it; null: it ended by itself.</param>
/// <param name="OutOfMemory">The kernel ended it for its memory.</param>
internal sealed record ExitStatus(int Code, int? Signal, bool OutOfMemory);

/// <param name="Code">Short and stable, for scripts.</param>
/// <param name="What">What happened, to what.</param>
/// <param name="Remedy">What to do.</param>
/// <param name="NextTry">When the agent tries again by itself.</param>
internal sealed record ProblemStatus(string Code, string What, string Remedy, DateTimeOffset? NextTry);

/// <param name="Id">Of the update that answers the request; its end is <see cref="UpdateStatus.Last"/> with this id or a later one.</param>
internal sealed record UpdateAccepted(long Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(UpdateAccepted))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>For a terminal or a pipe, where no browser reads it: quotes and umlauts stand as they are.</summary>
    public static ControlJson Plain { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>The same on one line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusDocument))]
internal sealed partial class CompactJson : JsonSerializerContext
{
    /// <inheritdoc cref="ControlJson.Plain"/>
    public static CompactJson Plain { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
