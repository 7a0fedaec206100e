using System.Text.Json;
using System.Text.Json.Serialization;

namespace RagAgent.Storage;

// What stands in state.json. A field is only ever added, and then it may be missing; any other change is another schema.

/// <param name="Schema"><see cref="StateText.Schema"/>.</param>
/// <param name="Checksum">Over <paramref name="Memory"/> without its white space.</param>
/// <param name="Memory">A <see cref="MemoryText"/>.</param>
internal sealed record StateDocument(int Schema, string Checksum, JsonElement Memory);

internal sealed record MemoryText(IReadOnlyList<ImageText> Good, VerdictText? Verdict, HoldText? Hold, IReadOnlyList<RunText> Runs);

internal sealed record ImageText(string Repository, string Digest);

internal sealed record ProblemText(string Code, string What, string Remedy);

/// <param name="By"><c>operator</c> or <c>hand</c>.</param>
/// <param name="BootId">Of the machine's life in which it was said; null when the kernel did not tell.</param>
internal sealed record HoldText(string By, string? BootId);

internal sealed record RunText(string Container, string StartedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool StopAsked = false);

[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(OnTrial), "on-trial")]
[JsonDerivedType(typeof(RolledBack), "rolled-back")]
[JsonDerivedType(typeof(Undecided), "undecided")]
[JsonDerivedType(typeof(Quarantined), "quarantined")]
internal abstract record VerdictText
{
    public sealed record OnTrial(ImageText Image, int Strikes, int Round) : VerdictText;

    public sealed record RolledBack(ImageText Image, ProblemText Why, int Strikes, int Round, bool Asked, string? Under = null) : VerdictText;

    public sealed record Undecided(ImageText Image, ProblemText Why, int Round, string? Under = null) : VerdictText;

    public sealed record Quarantined(ImageText Image, ProblemText Why) : VerdictText;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StateDocument))]
[JsonSerializable(typeof(MemoryText))]
internal sealed partial class StateJson : JsonSerializerContext;
