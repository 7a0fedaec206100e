using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagAgent.Storage;

// What stands in state.json. A field is only ever added, and then it may be missing; any other change is another schema.

/// <param name="Schema"><see cref="StateSerializer.Schema"/>.</param>
/// <param name="Checksum">Over <paramref name="Memory"/> without its white space.</param>
/// <param name="Memory">A <see cref="PersistedStateDto"/>.</param>
internal sealed record StateDocument(int Schema, string Checksum, JsonElement Memory);

internal sealed record PersistedStateDto(IReadOnlyList<ImageDto> Good, VerdictDto? Verdict, HoldDto? Hold, IReadOnlyList<RunDto> Runs);

internal sealed record ImageDto(string Repository, string Digest);

internal sealed record ProblemDto(string Code, string What, string Remedy);

/// <param name="By"><c>operator</c> or <c>hand</c>.</param>
/// <param name="BootId">Of the machine's life in which it was said; null when the kernel did not tell.</param>
internal sealed record HoldDto(string By, string? BootId);

internal sealed record RunDto(string Container, string StartedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool StopAsked = false);

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
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StateDocument))]
[JsonSerializable(typeof(PersistedStateDto))]
internal sealed partial class StateJson : JsonSerializerContext;
