using System.Text.Json.Serialization;

namespace RagAgent.Control;

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
    FailureStatus? LastFailure,
    IReadOnlyList<ProblemStatus> Problems);

/// <param name="State"><c>unknown</c>, <c>absent</c>, <c>starting</c>, <c>serving</c>, <c>unhealthy</c>, <c>stopping</c> or <c>backoff</c>.</param>
/// <param name="Since">When it began to serve; null unless it does.</param>
/// <param name="Container">The engine's short id.</param>
/// <param name="Release">Digest, configuration and secrets as one id.</param>
/// <param name="Digest">Of the image that runs.</param>
/// <param name="Newest">Whether that is what the tag was at the last look-up; null while that is not known.</param>
/// <param name="Crashes">In a row.</param>
/// <param name="CrashLooping">So many that an operator should look.</param>
/// <param name="Sessions">WebSockets that visitors hold open.</param>
/// <param name="NextStart">While in <c>backoff</c>.</param>
internal sealed record AppStatus(
    string State, DateTimeOffset? Since, string? Container, string? Release, string? Digest, bool? Newest, int Crashes, bool CrashLooping, int Sessions, DateTimeOffset? NextStart);

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

internal sealed record FrontDoorStatus(int Port, bool Open);

/// <param name="Pending">The number of the update that is under way.</param>
/// <param name="Last">How the last one ended.</param>
internal sealed record UpdateStatus(long? Pending, UpdateResult? Last);

internal sealed record UpdateResult(long Id, bool Changed, string? Digest, ProblemStatus? Problem);

internal sealed record FailureStatus(DateTimeOffset At, string? Release, ProblemStatus Problem, IReadOnlyList<string> LastLines);

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
internal sealed partial class ControlJson : JsonSerializerContext;
