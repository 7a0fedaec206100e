using System.Runtime.InteropServices;
using System.Text.Json;
using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>An operating system and an architecture by the names that images use.</summary>
internal sealed record Platform(string Os, string Architecture)
{
    public static Platform Current { get; } = new("linux", RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    });

    public override string ToString() => $"{Os}/{Architecture}";
}

/// <summary>The four kinds of manifest that registries hold.</summary>
internal static class MediaTypes
{
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    public static IReadOnlyList<string> All { get; } = [OciIndex, OciManifest, DockerManifestList, DockerManifest];

    public static bool IsIndex(string? mediaType) => mediaType is DockerManifestList or OciIndex;
}

/// <summary>One layer as the registry holds it.</summary>
/// <param name="Digest">Of the compressed bytes.</param>
/// <param name="Size">Compressed bytes.</param>
internal sealed record Layer(string Digest, long Size);

/// <summary>One image's manifest.</summary>
/// <param name="ConfigDigest">Of the blob that knows the platform.</param>
/// <param name="Layers">From the bottom up; the same layer can stand in it twice.</param>
internal sealed record Manifest(string ConfigDigest, IReadOnlyList<Layer> Layers)
{
    /// <summary>A layer is compressed with zstd, which not every engine can unpack.</summary>
    public bool HasZstdLayers { get; init; }

    /// <exception cref="ProblemException">It is no image manifest.</exception>
    public static Manifest Parse(byte[] json, string reference) => ReadJson(json, reference, root => new Manifest(
        ReadDigest(root.GetProperty("config")),
        [.. root.GetProperty("layers").EnumerateArray().Select(layer =>
            new Layer(ReadDigest(layer), layer.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) ? bytes : 0))])
    {
        HasZstdLayers = root.GetProperty("layers").EnumerateArray().Any(layer => ReadString(layer, "mediaType").EndsWith("+zstd", StringComparison.Ordinal)),
    });

    /// <summary>The platform as an image's config blob states it.</summary>
    public static Platform ReadPlatform(byte[] configBlob, string reference) => ReadJson(configBlob, reference, ParsePlatform);

    /// <summary>The digests of the unpacked layers, from the bottom up, as an image's config blob states them; empty when it states none.</summary>
    public static IReadOnlyList<string> ReadDiffIds(byte[] configBlob, string reference) => ReadJson<IReadOnlyList<string>>(configBlob, reference, root =>
        root.TryGetProperty("rootfs", out var rootfs) && rootfs.TryGetProperty("diff_ids", out var ids)
            ? [.. ids.EnumerateArray().Select(id => id.GetString() ?? "")]
            : []);

    /// <summary>The image for one platform in an index. Attestations, whose platform is <c>unknown/unknown</c>, are passed over.</summary>
    /// <exception cref="ProblemException">It has none for the platform.</exception>
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
        throw PlatformMismatch(reference, [.. available.Where(p => p.Os != "unknown").Distinct()], platform);
    });

    public static ProblemException PlatformMismatch(string reference, IReadOnlyList<Platform> available, Platform platform) => new(new Problem(
        ProblemCatalog.ImagePlatform,
        $"{reference} was built for {(available.Count == 0 ? "no platform" : string.Join(", ", available))}, but this machine is {platform}.",
        $"Build it with 'docker build --platform {platform}' and push it again; the agent looks again by itself."));

    private static T ReadJson<T>(byte[] json, string reference, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        // The last two are JsonElement's words for a value of another kind and for a property that is missing.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ProblemException(new Problem(
                ProblemCatalog.ImageManifest, $"{reference} has a manifest that is not an image's.", "Check what was pushed under this tag; it must be a container image."), exception);
        }
    }

    private static Platform ParsePlatform(JsonElement element) => new(ReadString(element, "os"), ReadString(element, "architecture"));

    private static string ReadDigest(JsonElement element) => element.GetProperty("digest").GetString() ?? throw new JsonException("A digest is null.");

    private static string ReadString(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
