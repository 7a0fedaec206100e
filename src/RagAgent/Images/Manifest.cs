using System.Text.Json;
using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>One image's manifest.</summary>
/// <param name="ConfigDigest">The digest of the config blob, which states the platform.</param>
/// <param name="Layers">From the bottom up. The same layer can occur twice.</param>
internal sealed record Manifest(string ConfigDigest, IReadOnlyList<Layer> Layers)
{
    /// <summary>Some layer is compressed with zstd, which not every engine can unpack.</summary>
    public bool HasZstdLayers { get; init; }

    /// <exception cref="ProblemException">The JSON is not an image manifest.</exception>
    public static Manifest Parse(byte[] json, string reference) => ReadJson(json, reference, root => new Manifest(
        ReadDigest(root.GetProperty("config")),
        [.. root.GetProperty("layers").EnumerateArray().Select(layer =>
            new Layer(ReadDigest(layer), layer.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) ? bytes : 0))])
    {
        HasZstdLayers = root.GetProperty("layers").EnumerateArray()
            .Any(layer => ReadString(layer, "mediaType").EndsWith("+zstd", StringComparison.Ordinal)),
    });

    /// <summary>Reads the platform from an image's config blob.</summary>
    public static Platform ReadPlatform(byte[] configBlob, string reference) => ReadJson(configBlob, reference, ParsePlatform);

    /// <summary>Reads the digests of the unpacked layers, from the bottom up, from an image's config blob; empty if it has none.</summary>
    public static IReadOnlyList<string> ReadDiffIds(byte[] configBlob, string reference) =>
        ReadJson<IReadOnlyList<string>>(configBlob, reference, root =>
            root.TryGetProperty("rootfs", out var rootfs) && rootfs.TryGetProperty("diff_ids", out var ids)
                ? [.. ids.EnumerateArray().Select(id => id.GetString() ?? "")]
                : []);

    /// <summary>
    /// The digest of the image for one platform in an index. Skips attestations, whose platform is <c>unknown/unknown</c>.
    /// </summary>
    /// <exception cref="ProblemException">The index has no image for the platform.</exception>
    public static string SelectForPlatform(byte[] index, Platform platform, string reference) => ReadJson(index, reference, root =>
    {
        var available = new List<Platform>();
        foreach (var manifest in root.GetProperty("manifests").EnumerateArray())
        {
            if (!manifest.TryGetProperty("platform", out var platformElement))
            {
                continue;
            }
            var manifestPlatform = ParsePlatform(platformElement);
            if (manifestPlatform == platform)
            {
                return ReadDigest(manifest);
            }
            available.Add(manifestPlatform);
        }
        throw PlatformMismatch(reference, [.. available.Where(other => other.Os != "unknown").Distinct()], platform);
    });

    public static ProblemException PlatformMismatch(
        string reference, IReadOnlyList<Platform> available, Platform platform) => new(new Problem(
        ProblemCatalog.ImagePlatform,
        $"{reference} was built for {(available.Count == 0 ? "no platform" : string.Join(", ", available))}, but this machine is {platform}.",
        $"Build it with 'docker build --platform {platform}' and push it again. {ExceptionMapping.RetriesAutomatically}"));

    private static T ReadJson<T>(byte[] json, string reference, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        // JsonElement throws the last two for a value of another kind and for a missing property.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ProblemException(new Problem(
                ProblemCatalog.ImageManifest,
                $"The manifest of {reference} is not a container image's.",
                "Check what was pushed under this tag; it must be a container image."), exception);
        }
    }

    private static Platform ParsePlatform(JsonElement element) => new(ReadString(element, "os"), ReadString(element, "architecture"));

    private static string ReadDigest(JsonElement element) =>
        element.GetProperty("digest").GetString() ?? throw new JsonException("A digest is null.");

    private static string ReadString(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
