using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Storage;

/// <summary>Converts the persisted state to the text of the state file and back.</summary>
internal static class StateSerializer
{
    public const int Schema = 1;

    // People read this file, so quotes and umlauts are not escaped. It never reaches a browser.
    private static readonly StateJson Json =
        new(new JsonSerializerOptions(StateJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Serialize(PersistedState state, string? bootId, AgentClock clock)
    {
        var content = JsonSerializer.SerializeToElement(ToDto(state, bootId, clock), Json.PersistedStateDto);
        var document = new StateDocument(Schema, Checksum(content), content);
        return [.. JsonSerializer.SerializeToUtf8Bytes(document, Json.StateDocument), (byte)'\n'];
    }

    /// <exception cref="CorruptStateException">The input is damaged, or a newer agent wrote it.</exception>
    public static PersistedState Deserialize(ReadOnlySpan<byte> input, string? bootId, AgentClock clock)
    {
        if (input.IsEmpty)
        {
            throw new CorruptStateException("it is empty");
        }
        try
        {
            // The schema first: nothing else is known about another one.
            using var parsed = JsonDocument.Parse(input.ToArray());
            var schema = parsed.RootElement.GetProperty("schema").GetInt32();
            if (schema != Schema)
            {
                throw new CorruptStateException(schema > Schema
                    ? $"a newer agent wrote it (schema {schema}; this agent knows {Schema})"
                    : $"its schema {schema} is unknown");
            }
            var document = parsed.RootElement.Deserialize(Json.StateDocument)!;
            if (document.Checksum != Checksum(document.Memory))
            {
                throw new CorruptStateException("its checksum is wrong: it was damaged or edited");
            }
            return FromDto(document.Memory.Deserialize(Json.PersistedStateDto) ?? throw new JsonException("no state"), bootId, clock);
        }
        catch (Exception exception) when (exception is
            JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new CorruptStateException("it is damaged or incomplete", exception);
        }
    }

    /// <summary>Covers the parsed JSON: white space does not matter, and fields that this agent does not know count too.</summary>
    private static string Checksum(JsonElement content)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            content.WriteTo(writer);
        }
        return $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan))}";
    }

    private static PersistedStateDto ToDto(PersistedState state, string? bootId, AgentClock clock) => new(
        [.. state.KnownGood.Select(ToDto)],
        state.Verdict is { } verdict ? ToDto(verdict) : null,
        state.Hold is { } hold ? new HoldDto(hold switch
        {
            StopHold.Operator => "operator",
            StopHold.DockerStop => "hand",
            _ => throw new InvalidOperationException($"Unknown hold {hold}."),
        }, bootId) : null,
        [.. state.Runs.Select(run => new RunDto(run.ContainerId, run.StartedAt, run.StopRequested, run.PassedGate))],
        state.UpdateWaitsSince is { } since ? clock.WallTime(since) : null);

    private static ImageDto ToDto(ImageName image) => new(image.Repository, image.Digest);

    private static ProblemDto ToDto(Problem problem) => new(problem.Code, problem.What, problem.Remedy);

    private static VerdictDto ToDto(Verdict verdict) => verdict switch
    {
        Verdict.OnTrial v => new VerdictDto.OnTrial(ToDto(v.Image), v.Strikes, v.Round),
        Verdict.RolledBack v => new VerdictDto.RolledBack(ToDto(v.Image), ToDto(v.Cause), v.Strikes, v.Round, v.ByOperator, v.Inputs),
        Verdict.Undecided v => new VerdictDto.Undecided(ToDto(v.Image), ToDto(v.Cause), v.Round, v.Inputs),
        Verdict.Quarantined v => new VerdictDto.Quarantined(ToDto(v.Image), ToDto(v.Cause)),
        _ => throw new InvalidOperationException($"Unknown verdict {verdict.GetType().Name}."),
    };

    private static PersistedState FromDto(PersistedStateDto input, string? bootId, AgentClock clock) => new(
        [.. input.Good.Select(FromDto)],
        input.Verdict is { } verdict ? FromDto(verdict) : null,
        input.Hold is { } hold ? FromDto(hold, bootId) : null,
        [.. input.Runs.Select(FromDto)],
        input.UpdateWaitsSince is { } since ? ToMoment(since, clock) : null);

    /// <summary>A time in the future is no time that anything could have begun at: somebody has set the clock.</summary>
    private static Moment ToMoment(DateTimeOffset at, AgentClock clock)
    {
        var moment = Moment.Zero + (at - clock.WallTime(Moment.Zero));
        return moment > clock.Now ? clock.Now : moment;
    }

    private static Run FromDto(RunDto input) =>
        new(input.Container, input.StartedAt) { StopRequested = input.StopAsked, PassedGate = input.PassedGate };

    private static ImageName FromDto(ImageDto input) => new(input.Repository, input.Digest);

    private static Problem FromDto(ProblemDto input) => new(ProblemCatalog.Find(input.Code), input.What, input.Remedy);

    private static Verdict FromDto(VerdictDto input) => input switch
    {
        VerdictDto.OnTrial v => new Verdict.OnTrial(FromDto(v.Image), v.Strikes, v.Round),
        VerdictDto.RolledBack v => new Verdict.RolledBack(FromDto(v.Image), FromDto(v.Why), v.Strikes, v.Round, v.Asked, v.Under),
        VerdictDto.Undecided v => new Verdict.Undecided(FromDto(v.Image), FromDto(v.Why), v.Round, v.Under),
        VerdictDto.Quarantined v => new Verdict.Quarantined(FromDto(v.Image), FromDto(v.Why)),
        _ => throw new JsonException($"unknown verdict {input.GetType().Name}"),
    };

    /// <summary>A hold ends when the machine reboots. Without a boot ID that can't be ruled out, so the hold ends then too.</summary>
    private static StopHold? FromDto(HoldDto input, string? bootId)
    {
        var isThisBoot = bootId is not null && input.BootId == bootId;
        return input.By switch
        {
            _ when !isThisBoot => null,
            "operator" => StopHold.Operator,
            "hand" => StopHold.DockerStop,
            _ => throw new JsonException($"unknown hold by {input.By}"),
        };
    }
}
