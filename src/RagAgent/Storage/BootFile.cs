using System.Text.Json;
using System.Text.Json.Serialization;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;

namespace RagAgent.Storage;

/// <summary><c>boots.json</c> in the state directory: the timelines of this boot and the previous one. Nothing depends on it.</summary>
internal sealed class BootFile(string directory, ILogger<BootFile> logger) : IBootStore
{
    private const int Schema = 1;

    // A hundred times its usual size. A larger file is not the agent's.
    private const int MaxFileSize = 64 * 1024;
    private static readonly TimeSpan MaxBootDuration = TimeSpan.FromDays(366);
    private readonly string _path = Path.Combine(directory, "boots.json");
    private bool _writeFailureLogged;

    public IReadOnlyList<BootRecord> Read()
    {
        try
        {
            var document = JsonSerializer.Deserialize(ReadBytes(), BootJson.Default.BootDocument);
            return document is { Schema: Schema } ? [.. document.Boots.Select(FromDto)] : [];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is
            JsonException or InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            logger.BootFileUnreadable(_path, exception.Message.TrimEnd('.'));
            return [];
        }
    }

    public void Write(IReadOnlyList<BootRecord> boots)
    {
        try
        {
            var document = new BootDocument(Schema, [.. boots.Select(ToDto)]);
            DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(document, BootJson.Default.BootDocument));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_writeFailureLogged)
            {
                _writeFailureLogged = true;
                logger.BootFileUnwritable(_path, exception.Message.TrimEnd('.'));
            }
        }
    }

    private byte[] ReadBytes()
    {
        if (FileKind.Detect(_path) is { } kind and not FileKind.Regular)
        {
            throw new IOException($"it is {FileKind.Describe(kind)}, not a file");
        }
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > MaxFileSize)
        {
            throw new IOException($"it is too large ({stream.Length} bytes)");
        }
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static BootDto ToDto(BootRecord boot)
    {
        var steps = boot.Steps.OrderBy(step => step.Value).ToDictionary(step => step.Key, step => Math.Round(step.Value.TotalSeconds, 3));
        return new BootDto(boot.Id, boot.StartedAt, steps);
    }

    private static BootRecord FromDto(BootDto? dto) => dto is null
        ? throw new JsonException("a boot is null")
        : new BootRecord(dto.Id, dto.Began, dto.Steps.ToDictionary(step => ParseMilestone(step.Key), step => ParseDuration(step.Value)));

    private static BootMilestone ParseMilestone(BootMilestone milestone) =>
        Enum.IsDefined(milestone) ? milestone : throw new JsonException($"there is no step {milestone}");

    private static TimeSpan ParseDuration(double seconds) => seconds >= 0 && seconds < MaxBootDuration.TotalSeconds
        ? TimeSpan.FromSeconds(seconds)
        : throw new JsonException($"no step of a boot takes {seconds} s");
}

internal sealed record BootDocument(int Schema, IReadOnlyList<BootDto?> Boots);

internal sealed record BootDto(string Id, DateTimeOffset Began, Dictionary<BootMilestone, double> Steps);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DictionaryKeyPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BootDocument))]
internal sealed partial class BootJson : JsonSerializerContext;
