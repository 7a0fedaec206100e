using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using RagAgent.Supervision;

namespace RagAgent.Storage;

/// <summary>What can't be read as a memory; the message says why, without a full stop.</summary>
internal sealed class StateGarbledException(string why, Exception? inner = null) : Exception(why, inner);

/// <summary>A memory as the text of the state file, and back.</summary>
internal static class StateText
{
    public const int Schema = 1;

    // Names and sentences are read by people: quotes and umlauts stay as they are. No browser sees this.
    private static readonly StateJson Json = new(new JsonSerializerOptions(StateJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Write(Memory memory, string? bootId)
    {
        var content = JsonSerializer.SerializeToElement(ToText(memory, bootId), Json.MemoryText);
        return [.. JsonSerializer.SerializeToUtf8Bytes(new StateDocument(Schema, Checksum(content), content), Json.StateDocument), (byte)'\n'];
    }

    /// <exception cref="StateGarbledException">It is damaged, or of an agent that is newer.</exception>
    public static Memory Read(ReadOnlySpan<byte> text, string? bootId)
    {
        if (text.IsEmpty)
        {
            throw new StateGarbledException("it is empty");
        }
        try
        {
            // The schema first: of another one nothing else is known.
            using var parsed = JsonDocument.Parse(text.ToArray());
            var schema = parsed.RootElement.GetProperty("schema").GetInt32();
            if (schema != Schema)
            {
                throw new StateGarbledException(schema > Schema ? $"a newer agent wrote it (schema {schema}, this one knows {Schema})" : $"its schema {schema} is unknown");
            }
            var document = parsed.RootElement.Deserialize(Json.StateDocument)!;
            if (document.Checksum != Checksum(document.Memory))
            {
                throw new StateGarbledException("its checksum is wrong: it was damaged or edited");
            }
            return FromText(document.Memory.Deserialize(Json.MemoryText) ?? throw new JsonException("no memory"), bootId);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new StateGarbledException("it is damaged or not whole", e);
        }
    }

    /// <summary>Over what is said and not over its white space; of the parsed text, so that it holds whatever fields an agent knows.</summary>
    private static string Checksum(JsonElement content)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            content.WriteTo(writer);
        }
        return $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan))}";
    }

    private static MemoryText ToText(Memory memory, string? bootId) => new(
        [.. memory.Good.Select(ToText)],
        memory.Verdict is { } verdict ? ToText(verdict) : null,
        memory.Hold is { } hold ? new HoldText(hold switch
        {
            Hold.Operator => "operator",
            Hold.Hand => "hand",
            _ => throw new InvalidOperationException($"No one writes down {hold}."),
        }, bootId) : null,
        [.. memory.Runs.Select(run => new RunText(run.ContainerId, run.StartedAt, run.StopAsked))]);

    private static ImageText ToText(ImageName image) => new(image.Repository, image.Digest);

    private static ProblemText ToText(Problem problem) => new(problem.Code, problem.What, problem.Remedy);

    private static VerdictText ToText(Verdict verdict) => verdict switch
    {
        Verdict.OnTrial v => new VerdictText.OnTrial(ToText(v.Image), v.Strikes, v.Round),
        Verdict.RolledBack v => new VerdictText.RolledBack(ToText(v.Image), ToText(v.Why), v.Strikes, v.Round, v.Asked, v.Under),
        Verdict.Undecided v => new VerdictText.Undecided(ToText(v.Image), ToText(v.Why), v.Round, v.Under),
        Verdict.Quarantined v => new VerdictText.Quarantined(ToText(v.Image), ToText(v.Why)),
        _ => throw new InvalidOperationException($"No one writes down {verdict.GetType().Name}."),
    };

    private static Memory FromText(MemoryText text, string? bootId) => new(
        [.. text.Good.Select(FromText)],
        text.Verdict is { } verdict ? FromText(verdict) : null,
        text.Hold is { } hold ? FromText(hold, bootId) : null,
        [.. text.Runs.Select(run => new Run(run.Container, run.StartedAt) { StopAsked = run.StopAsked })]);

    private static ImageName FromText(ImageText text) => new(text.Repository, text.Digest);

    private static Problem FromText(ProblemText text) => new(text.Code, text.What, text.Remedy);

    private static Verdict FromText(VerdictText text) => text switch
    {
        VerdictText.OnTrial v => new Verdict.OnTrial(FromText(v.Image), v.Strikes, v.Round),
        VerdictText.RolledBack v => new Verdict.RolledBack(FromText(v.Image), FromText(v.Why), v.Strikes, v.Round, v.Asked, v.Under),
        VerdictText.Undecided v => new Verdict.Undecided(FromText(v.Image), FromText(v.Why), v.Round, v.Under),
        VerdictText.Quarantined v => new Verdict.Quarantined(FromText(v.Image), FromText(v.Why)),
        _ => throw new JsonException($"a verdict {text.GetType().Name}"),
    };

    /// <summary>It ends with the life of the machine in which it was said; of an unknown life it is not known to go on.</summary>
    private static Hold? FromText(HoldText text, string? bootId) => (text.By, bootId is not null && text.BootId == bootId) switch
    {
        (_, false) => null,
        ("operator", _) => Hold.Operator,
        ("hand", _) => Hold.Hand,
        _ => throw new JsonException($"a hold by {text.By}"),
    };
}
