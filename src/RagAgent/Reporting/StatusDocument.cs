using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagAgent.Reporting;

/// <summary>What <c>ragagent status --json</c> prints. Keys are never renamed or removed. Times are UTC.</summary>
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

/// <summary>The app's DNS name; null in the document if it has none.</summary>
/// <param name="Name">As in <c>dns.name</c>.</param>
/// <param name="Url">The app's address by that name.</param>
/// <param name="Addresses">This machine's addresses that the name points to; empty: none yet, or unknown (see <c>problems</c>).</param>
internal sealed record DnsStatus(string Name, string Url, IReadOnlyList<string> Addresses);

/// <summary>An instance that stops itself; null in the document if it does not.</summary>
/// <param name="LastActivity">Of a client or an operator; the agent's start if there was none since.</param>
/// <param name="StopsAt">When the instance stops if it stays idle; null: not before the app has served.</param>
/// <param name="Because">Why it stops then: <c>idle</c> or <c>max-uptime</c>.</param>
/// <param name="Noticed">Clients have been notified: <c>stopsAt</c> is near.</param>
/// <param name="Stopping">EC2 has accepted the stop.</param>
internal sealed record IdleStatus(DateTimeOffset LastActivity, DateTimeOffset? StopsAt, string? Because, bool Noticed, bool Stopping);

/// <param name="This">The current boot.</param>
/// <param name="Previous">The boot before it; null if unknown.</param>
internal sealed record BootsStatus(BootStatus This, BootStatus? Previous);

/// <param name="Began">When the kernel started, or the agent if it started too late to be part of the boot.</param>
/// <param name="Steps">
/// The milestones in the order they were reached: <c>agent</c>, <c>credentials</c>, <c>secret</c>, <c>token</c>, <c>digest</c>,
/// <c>pull</c>, <c>start</c>, <c>healthy</c>.
/// </param>
internal sealed record BootStatus(DateTimeOffset Began, IReadOnlyList<BootStepStatus> Steps);

/// <param name="Name">The milestone.</param>
/// <param name="Seconds">Since the kernel started.</param>
internal sealed record BootStepStatus(string Name, double Seconds);

/// <param name="State">
/// <c>unknown</c>, <c>absent</c>, <c>starting</c>, <c>serving</c>, <c>unhealthy</c>, <c>stopping</c>, <c>stopped</c> (and stays so) or
/// <c>backoff</c> (it ended; see <c>lastFailure</c>).
/// </param>
/// <param name="Since">When it began to serve, or was started if the agent found it running; null unless it serves.</param>
/// <param name="Container">The engine's short id.</param>
/// <param name="Release">An id of digest, configuration and secrets together.</param>
/// <param name="Digest">Of the running image.</param>
/// <param name="Newest">Whether that is what the tag pointed to when it was last resolved; null if unknown.</param>
/// <param name="Crashes">In a row.</param>
/// <param name="CrashLooping">There were so many that an operator should look.</param>
/// <param name="Sessions">Open WebSockets.</param>
/// <param name="NextStart">While in <c>backoff</c>.</param>
/// <param name="Session">
/// What the gate's own session showed: <c>works</c>, <c>failed</c> (see <c>problems</c>) or <c>unreadable</c>; null: none was run.
/// </param>
/// <param name="Exceptions">Uncaught exceptions in visitors' sessions of this container; null: none.</param>
/// <param name="SessionsInUse">Those that people used within <c>update.idleAfter</c>, and those that can't be read.</param>
/// <param name="StoppedBy"><c>operator</c> ('ragagent stop') or <c>hand</c> ('docker stop'); null if it is not to stay stopped.</param>
internal sealed record AppStatus(
    string State,
    DateTimeOffset? Since,
    string? Container,
    string? Release,
    string? Digest,
    bool? Newest,
    int Crashes,
    bool CrashLooping,
    int Sessions,
    DateTimeOffset? NextStart,
    string? StoppedBy = null,
    string? Session = null,
    ExceptionsStatus? Exceptions = null,
    int SessionsInUse = 0);

/// <param name="Count">Since the container started.</param>
/// <param name="Last">The last line of the last one's traceback; null if it can't be read.</param>
internal sealed record ExceptionsStatus(int Count, string? Last);

/// <param name="Phase">See <see cref="RolloutPhaseName.Of"/>.</param>
/// <param name="Candidate">The short id of the container next to the serving one.</param>
/// <param name="WatchUntil">When the serving image becomes the last good one; null: it already is, or none serves.</param>
/// <param name="LastGood">Digests of images that passed their watch, newest first.</param>
/// <param name="SetAside">The newest image if it does not run because it failed.</param>
/// <param name="Wait">What a newer release waits for; null: none waits.</param>
internal sealed record RolloutStatus(
    string Phase,
    string? Candidate,
    DateTimeOffset? WatchUntil,
    IReadOnlyList<string> LastGood,
    SetAsideStatus? SetAside,
    WaitStatus? Wait = null);

/// <param name="Sessions">Those in use.</param>
/// <param name="LastActivity">When the last of them was used; null if it can't be read.</param>
/// <param name="Since">When the wait began.</param>
/// <param name="Until">When the newer release takes over at the latest.</param>
internal sealed record WaitStatus(int Sessions, DateTimeOffset? LastActivity, DateTimeOffset Since, DateTimeOffset Until);

/// <param name="Digest">Of the image.</param>
/// <param name="Verdict"><c>rolled-back</c> (the one before it is watched), <c>quarantined</c> or <c>undecided</c> (both failed).</param>
/// <param name="Why">Its failure.</param>
internal sealed record SetAsideStatus(string Digest, string Verdict, ProblemStatus Why);

/// <param name="Reference">As configured, including the registry.</param>
/// <param name="Digest">Of the image for this machine's platform.</param>
/// <param name="TagDigest">What the tag points to; not <c>digest</c> if that is an index.</param>
/// <param name="CheckedAt">When the registry last answered.</param>
/// <param name="NextCheck">When the agent asks it again.</param>
/// <param name="Pull">The pull in progress.</param>
internal sealed record ImageStatus(
    string? Reference, string? Digest, string? TagDigest, DateTimeOffset? CheckedAt, DateTimeOffset? NextCheck, PullStatus? Pull);

internal sealed record PullStatus(int Percent, long DownloadedBytes, long TotalBytes);

internal sealed record SecretsStatus(IReadOnlyList<string> Versions, DateTimeOffset? ReadAt);

internal sealed record EngineStatus(string? Version, bool Answers);

/// <param name="Port">Of HTTP.</param>
/// <param name="Open">It accepts connections.</param>
/// <param name="Https">Null if it is not configured.</param>
internal sealed record FrontDoorStatus(int Port, bool Open, HttpsStatus? Https = null);

/// <param name="Port">Of HTTPS.</param>
/// <param name="Names">Of the certificate in use; empty if there is none yet.</param>
/// <param name="ValidUntil">When that certificate expires.</param>
internal sealed record HttpsStatus(int Port, IReadOnlyList<string> Names, DateTimeOffset? ValidUntil);

/// <param name="Pending">The number of the operator's request in progress: an update, rollback, unquarantine, stop or start.</param>
/// <param name="Last">How the last one ended.</param>
internal sealed record UpdateStatus(long? Pending, UpdateResult? Last);

internal sealed record UpdateResult(long Id, bool Changed, string? Digest, ProblemStatus? Problem, string Kind = "update");

/// <param name="At">When the agent learned of it.</param>
/// <param name="Release">The one that failed.</param>
/// <param name="Problem">What went wrong.</param>
/// <param name="LastLines">The end of its output.</param>
/// <param name="Exit">How its process exited; null if the agent stopped it.</param>
internal sealed record FailureStatus(
    DateTimeOffset At, string? Release, ProblemStatus Problem, IReadOnlyList<string> LastLines, ExitStatus? Exit = null);

/// <param name="Code">Its exit code.</param>
/// <param name="Signal">The signal that killed it; null if none did.</param>
/// <param name="OutOfMemory">The kernel killed it because it ran out of memory.</param>
internal sealed record ExitStatus(int Code, int? Signal, bool OutOfMemory);

/// <param name="Code">Short and stable, for scripts.</param>
/// <param name="What">What happened, to what.</param>
/// <param name="Remedy">What to do.</param>
/// <param name="NextTry">When the agent retries.</param>
internal sealed record ProblemStatus(string Code, string What, string Remedy, DateTimeOffset? NextTry);

/// <param name="Id">The request's number: it has ended when <see cref="UpdateStatus.Last"/> has this number or a later one.</param>
internal sealed record UpdateAccepted(long Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(UpdateAccepted))]
internal sealed partial class ControlJson : JsonSerializerContext
{
    /// <summary>For terminals and pipes: quotes and umlauts are not escaped as for browsers.</summary>
    public static ControlJson Plain { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

/// <summary>The same on one line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StatusDocument))]
internal sealed partial class CompactJson : JsonSerializerContext
{
    /// <inheritdoc cref="ControlJson.Plain"/>
    public static CompactJson Plain { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
