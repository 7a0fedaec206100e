using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using RagAgent.Diagnostics;

namespace RagAgent.Storage;

/// <summary><c>boots.json</c> in the state directory: how this boot and the one before it went. Nothing depends on it.</summary>
internal sealed class BootFile(string directory, ILogger<BootFile> logger) : IBoots
{
    private const int Schema = 1;
    private readonly string _path = Path.Combine(directory, "boots.json");
    private bool _told;

    public IReadOnlyList<Boot> Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_path), BootJson.Default.BootDocument) is { Schema: Schema } document ? [.. document.Boots.Select(FromText)] : [];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            logger.BootsUnread(_path, e.Message.TrimEnd('.'));
            return [];
        }
    }

    public void Write(IReadOnlyList<Boot> boots)
    {
        try
        {
            DurableFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(new BootDocument(Schema, [.. boots.Select(ToText)]), BootJson.Default.BootDocument));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_told)
            {
                _told = true;
                logger.BootsUnwritten(_path, e.Message.TrimEnd('.'));
            }
        }
    }

    private static BootText ToText(Boot boot) =>
        new(boot.Id, boot.Began, boot.Steps.OrderBy(step => step.Value).ToDictionary(step => step.Key, step => Math.Round(step.Value.TotalSeconds, 3)));

    private static Boot FromText(BootText text) => new(text.Id, text.Began, text.Steps.ToDictionary(step => step.Key, step => TimeSpan.FromSeconds(step.Value)));
}

internal sealed record BootDocument(int Schema, IReadOnlyList<BootText> Boots);

internal sealed record BootText(string Id, DateTimeOffset Began, Dictionary<Milestone, double> Steps);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DictionaryKeyPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BootDocument))]
internal sealed partial class BootJson : JsonSerializerContext;
