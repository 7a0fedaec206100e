using System.Runtime.InteropServices;
using System.Text.Json;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>An operating system and an architecture by the names that images use.</summary>
internal sealed record Platform(string Os, string Architecture)
{
    public static Platform OfThisMachine { get; } = new("linux", RuntimeInformation.OSArchitecture switch
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
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    public static IReadOnlyList<string> All { get; } = [OciIndex, OciManifest, DockerList, DockerManifest];

    public static bool IsIndex(string? mediaType) => mediaType is DockerList or OciIndex;
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
    public bool HasZstd { get; init; }

    /// <exception cref="ProblemException">It is no image manifest.</exception>
    public static Manifest Parse(byte[] json, string reference) => Read(json, reference, root => new Manifest(
        Digest(root.GetProperty("config")),
        [.. root.GetProperty("layers").EnumerateArray().Select(layer =>
            new Layer(Digest(layer), layer.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) ? bytes : 0))])
    {
        HasZstd = root.GetProperty("layers").EnumerateArray().Any(layer => Text(layer, "mediaType").EndsWith("+zstd", StringComparison.Ordinal)),
    });

    /// <summary>The platform as an image's config blob states it.</summary>
    public static Platform PlatformOf(byte[] configBlob, string reference) => Read(configBlob, reference, PlatformIn);

    /// <summary>The digests of the unpacked layers, from the bottom up, as an image's config blob states them; empty when it states none.</summary>
    public static IReadOnlyList<string> DiffIdsOf(byte[] configBlob, string reference) => Read<IReadOnlyList<string>>(configBlob, reference, root =>
        root.TryGetProperty("rootfs", out var rootfs) && rootfs.TryGetProperty("diff_ids", out var ids)
            ? [.. ids.EnumerateArray().Select(id => id.GetString() ?? "")]
            : []);

    /// <summary>The image for one platform in an index. Attestations, whose platform is <c>unknown/unknown</c>, are passed over.</summary>
    /// <exception cref="ProblemException">It has none for the platform.</exception>
    public static string Choose(byte[] index, Platform platform, string reference) => Read(index, reference, root =>
    {
        var offered = new List<Platform>();
        foreach (var manifest in root.GetProperty("manifests").EnumerateArray())
        {
            if (!manifest.TryGetProperty("platform", out var stated))
            {
                continue;
            }
            var candidate = PlatformIn(stated);
            if (candidate == platform)
            {
                return Digest(manifest);
            }
            offered.Add(candidate);
        }
        throw WrongPlatform(reference, [.. offered.Where(p => p.Os != "unknown").Distinct()], platform);
    });

    public static ProblemException WrongPlatform(string reference, IReadOnlyList<Platform> offered, Platform platform) => new(new Problem(
        "image-platform",
        $"{reference} was built for {(offered.Count == 0 ? "no platform" : string.Join(", ", offered))}, but this machine is {platform}.",
        $"Build it with 'docker build --platform {platform}' and push it again; the agent looks again by itself."));

    private static T Read<T>(byte[] json, string reference, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        // The last two are JsonElement's words for a value of another kind and for a property that is missing.
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ProblemException(new Problem(
                "image-manifest", $"{reference} has a manifest that is not an image's.", "Check what was pushed under this tag; it must be a container image."), e);
        }
    }

    private static Platform PlatformIn(JsonElement element) => new(Text(element, "os"), Text(element, "architecture"));

    private static string Digest(JsonElement element) => element.GetProperty("digest").GetString() ?? throw new JsonException("A digest is null.");

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
