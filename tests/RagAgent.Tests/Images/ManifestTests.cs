using System.Text;
using CsCheck;
using RagAgent.Common;
using RagAgent.Images;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Images;

public class ManifestTests
{
    private const string Reference = "registry.example.com/app:latest";
    private const string NotUnderstood = "The manifest of registry.example.com/app:latest is not a container image's.";

    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ",", ":", "null", "true", "-1", "9223372036854775807", "1e99",
        "\"config\"", "\"rootfs\"", "\"diff_ids\"", "\"layers\"", "\"manifests\"", "\"platform\"", "\"digest\"",
        "\"size\"", "\"os\"", "\"architecture\"", "\"linux\"", "\"amd64\"", "\"sha256:aa\"", "{\"digest\":\"sha256:aa\",\"size\":", "{\"config\":", "{\"manifests\":[",
    ];

    [Theory]
    [InlineData(MediaTypes.DockerManifest, false)]
    [InlineData(MediaTypes.OciManifest, false)]
    [InlineData(MediaTypes.DockerManifestList, true)]
    [InlineData(MediaTypes.OciIndex, true)]
    [InlineData("application/vnd.docker.distribution.manifest.v1+json", false)]
    [InlineData(null, false)]
    public void An_index_is_recognized_by_its_media_type(string? mediaType, bool isIndex) =>
        Assert.Equal(isIndex, MediaTypes.IsIndex(mediaType));

    [Fact]
    public void All_four_media_types_are_accepted() =>
        Assert.Equal(
            [MediaTypes.OciIndex, MediaTypes.OciManifest, MediaTypes.DockerManifestList, MediaTypes.DockerManifest], MediaTypes.All);

    [Theory]
    [InlineData(MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.OciManifest)]
    public void A_manifest_has_a_config_digest_and_layers_with_their_sizes(string mediaType)
    {
        var manifest = Manifest.Parse(Bytes($$"""
            { "schemaVersion": 2, "mediaType": "{{mediaType}}", "config": { "digest": "sha256:cc", "size": 7 },
              "layers": [ { "digest": "sha256:aa", "size": 100 }, { "digest": "sha256:bb", "size": 200 }, { "digest": "sha256:aa", "size": 100 } ] }
            """), Reference);

        Assert.Equal("sha256:cc", manifest.ConfigDigest);
        Assert.Equal([new Layer("sha256:aa", 100), new Layer("sha256:bb", 200), new Layer("sha256:aa", 100)], manifest.Layers);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip", false)]
    [InlineData("application/vnd.docker.image.rootfs.diff.tar.gzip", false)]
    [InlineData("application/vnd.oci.image.layer.v1.tar+zstd", true)]
    public void One_zstd_layer_is_enough_to_need_an_engine_that_supports_zstd(string mediaType, bool zstd)
    {
        var manifest = Manifest.Parse(Bytes($$"""
            { "config": { "digest": "sha256:cc" }, "layers": [ { "digest": "sha256:aa", "size": 100 }, { "mediaType": "{{mediaType}}", "digest": "sha256:bb", "size": 200 } ] }
            """), Reference);

        Assert.Equal(zstd, manifest.HasZstdLayers);
    }

    [Theory]
    [InlineData(MediaTypes.DockerManifestList)]
    [InlineData(MediaTypes.OciIndex)]
    public void The_image_for_the_platform_is_selected_from_an_index_and_attestations_are_skipped(string mediaType)
    {
        var index = Bytes($$"""
            { "schemaVersion": 2, "mediaType": "{{mediaType}}", "manifests": [
              { "digest": "sha256:a0", "platform": { "os": "unknown", "architecture": "unknown" }, "annotations": { "vnd.docker.reference.type": "attestation-manifest" } },
              { "digest": "sha256:00" },
              { "digest": "sha256:a1", "platform": { "os": "linux", "architecture": "arm64", "variant": "v8" } },
              { "digest": "sha256:a2", "platform": { "os": "linux", "architecture": "amd64" } },
              { "digest": "sha256:a3", "platform": { "os": "windows", "architecture": "amd64" } } ] }
            """);

        Assert.Equal("sha256:a2", Manifest.SelectForPlatform(index, new Platform("linux", "amd64"), Reference));
        Assert.Equal("sha256:a1", Manifest.SelectForPlatform(index, new Platform("linux", "arm64"), Reference));
    }

    [Fact]
    public void An_index_without_the_platform_reports_which_ones_it_has_and_how_to_build_the_right_one()
    {
        var index = Bytes("""
            { "manifests": [ { "digest": "sha256:a1", "platform": { "os": "linux", "architecture": "arm64" } },
                             { "digest": "sha256:a2", "platform": { "os": "windows", "architecture": "amd64" } },
                             { "digest": "sha256:a3", "platform": { "os": "unknown", "architecture": "unknown" } } ] }
            """);

        var problem = AssertProblem.Thrown(() => Manifest.SelectForPlatform(index, new Platform("linux", "amd64"), Reference));

        Assert.Equal(new Problem(
            ProblemCatalog.ImagePlatform,
            "registry.example.com/app:latest was built for linux/arm64, windows/amd64, but this machine is linux/amd64.",
            "Build it with 'docker build --platform linux/amd64' and push it again. " + ExceptionMapping.RetriesAutomatically), problem);
    }

    [Fact]
    public void An_index_with_only_attestations_has_no_image()
    {
        var index = Bytes("""{ "manifests": [ { "digest": "sha256:a3", "platform": { "os": "unknown", "architecture": "unknown" } } ] }""");

        Assert.Equal(
            "registry.example.com/app:latest was built for no platform, but this machine is linux/amd64.",
            AssertProblem.Thrown(() => Manifest.SelectForPlatform(index, new Platform("linux", "amd64"), Reference)).What);
    }

    [Fact]
    public void A_config_blob_states_the_platform() =>
        Assert.Equal(new Platform("linux", "arm64"), Manifest.ReadPlatform(Bytes("""{ "os": "linux", "architecture": "arm64" }"""), Reference));

    [Theory]
    [InlineData("""{ "os": "linux", "rootfs": { "type": "layers", "diff_ids": ["sha256:d1", "sha256:d2"] } }""", "sha256:d1 sha256:d2")]
    [InlineData("""{ "os": "linux", "rootfs": {} }""", "")]
    [InlineData("""{ "os": "linux" }""", "")]
    public void A_config_blob_states_the_digests_of_the_unpacked_layers(string config, string expected) =>
        Assert.Equal(expected, string.Join(' ', Manifest.ReadDiffIds(Bytes(config), Reference)));

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("""{ "schemaVersion": 1, "fsLayers": [] }""")]
    [InlineData("""{ "config": "sha256:cc", "layers": [] }""")]
    [InlineData("""{ "config": {}, "layers": [] }""")]
    [InlineData("""{ "config": { "digest": "sha256:cc" }, "layers": {} }""")]
    [InlineData("""{ "config": { "digest": "sha256:cc" }, "layers": [ "sha256:aa" ] }""")]
    public void JSON_that_is_not_an_image_manifest_is_reported_as_a_problem(string text)
    {
        var problem = AssertProblem.Thrown(() => Manifest.Parse(Bytes(text), Reference));

        Assert.Equal(("image-manifest", NotUnderstood), (problem.Code, problem.What));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("""{ "manifests": {} }""")]
    [InlineData("""{ "manifests": [ 1 ] }""")]
    [InlineData("""{ "manifests": [ { "platform": [] } ] }""")]
    [InlineData("""{ "manifests": [ { "platform": { "os": "linux", "architecture": "amd64" } } ] }""")]
    public void JSON_that_is_not_an_index_is_reported_as_a_problem(string text) =>
        Assert.Equal(NotUnderstood, AssertProblem.Thrown(() => Manifest.SelectForPlatform(Bytes(text), new Platform("linux", "amd64"), Reference)).What);

    [Fact]
    public void Any_JSON_from_a_registry_is_parsed_or_reported_as_a_problem() =>
        Gen.OneOf(Pieces).Array[0, 12].Select(string.Concat).Sample(text =>
        {
            Action[] readers =
            [
                () => Manifest.Parse(Bytes(text), Reference),
                () => Manifest.ReadPlatform(Bytes(text), Reference),
                () => Manifest.ReadDiffIds(Bytes(text), Reference),
                () => Manifest.SelectForPlatform(Bytes(text), Platform.Current, Reference),
            ];
            return readers.All(read => Record.Exception(read) is null or ProblemException);
        }, iter: 5_000);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
