using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagAgent.Storage;

// The content of state.json. Fields are only ever added, and a reader accepts that they are missing.
// Any other change needs a new schema.

/// <param name="Schema"><see cref="StateSerializer.Schema"/>.</param>
/// <param name="Checksum">Of <paramref name="Memory"/> without its white space.</param>
/// <param name="Memory">A <see cref="PersistedStateDto"/>. The file's key is <c>memory</c>, so the name stays.</param>
internal sealed record StateDocument(int Schema, string Checksum, JsonElement Memory);

internal sealed record PersistedStateDto(
    IReadOnlyList<ImageDto> Good,
    VerdictDto? Verdict,
    HoldDto? Hold,
    IReadOnlyList<RunDto> Runs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? UpdateWaitsSince = null);

internal sealed record ImageDto(string Repository, string Digest);

internal sealed record ProblemDto(string Code, string What, string Remedy);

/// <param name="By"><c>operator</c> or <c>hand</c>.</param>
/// <param name="BootId">The boot in which the hold began; null if the kernel did not provide its ID.</param>
internal sealed record HoldDto(string By, string? BootId);

internal sealed record RunDto(
    string Container,
    string StartedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool StopAsked = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool PassedGate = false);

[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(OnTrial), "on-trial")]
[JsonDerivedType(typeof(RolledBack), "rolled-back")]
[JsonDerivedType(typeof(Undecided), "undecided")]
[JsonDerivedType(typeof(Quarantined), "quarantined")]
internal abstract record VerdictDto
{
    public sealed record OnTrial(ImageDto Image, int Strikes, int Round) : VerdictDto;

    public sealed record RolledBack(ImageDto Image, ProblemDto Why, int Strikes, int Round, bool Asked, string? Under = null) : VerdictDto;

    public sealed record Undecided(ImageDto Image, ProblemDto Why, int Round, string? Under = null) : VerdictDto;

    public sealed record Quarantined(ImageDto Image, ProblemDto Why) : VerdictDto;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StateDocument))]
[JsonSerializable(typeof(PersistedStateDto))]
internal sealed partial class StateJson : JsonSerializerContext;
