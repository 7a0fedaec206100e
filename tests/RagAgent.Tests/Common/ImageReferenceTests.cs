using CsCheck;
using RagAgent.Common;
using RagAgent.Configuration.Values;
using Xunit;

namespace RagAgent.Tests.Common;

public class ImageReferenceTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Ecr = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

    private static readonly string[] Pieces =
    [
        "a", "b1", "latest", "library/", "docker.io/", "localhost", "registry.example.com", "[::1]", ":5000", "5000", ".", "_", "__", "-", "/", "/", ":", "@", "A",
        "@sha256:" + Hex,
    ];

    [Theory]
    [InlineData("ragstream-web", null, "ragstream-web", "latest", null)]
    [InlineData("ragstream-web:v1", null, "ragstream-web", "v1", null)]
    [InlineData("team/ragstream-web", null, "team/ragstream-web", "latest", null)]
    [InlineData(Ecr + "/ragstream-web:v1", Ecr, "ragstream-web", "v1", null)]
    [InlineData("localhost/app", "localhost", "app", "latest", null)]
    [InlineData("localhost:5000/app", "localhost:5000", "app", "latest", null)]
    [InlineData("localhost:5000/a/b:1", "localhost:5000", "a/b", "1", null)]
    [InlineData("[::1]:5000/app", "[::1]:5000", "app", "latest", null)]
    [InlineData("app@sha256:" + Hex, null, "app", "latest", "sha256:" + Hex)]
    [InlineData("registry:5000/app:v1@sha256:" + Hex, "registry:5000", "app", "v1", "sha256:" + Hex)]
    [InlineData("docker.io/nginx", "docker.io", "library/nginx", "latest", null)]
    [InlineData("docker.io/grafana/grafana:11", "docker.io", "grafana/grafana", "11", null)]
    public void A_reference_is_split_into_its_parts(string text, string? host, string path, string tag, string? digest) =>
        Assert.Equal(new ImageReference(host, path, tag, digest), ImageReference.Parse(text));

    [Theory]
    [InlineData("docker.io", "registry-1.docker.io")]
    [InlineData(Ecr, Ecr)]
    public void The_API_host_is_the_registry_host_except_for_Docker_Hub(string host, string api) =>
        Assert.Equal(api, ImageReference.ApiHost(host));

    [Theory]
    [InlineData("nginx@sha256:aa", "docker.io/library/nginx@sha256:aa")]
    [InlineData("team/app@sha256:aa", "docker.io/team/app@sha256:aa")]
    [InlineData("localhost/app@sha256:aa", "localhost/app@sha256:aa")]
    [InlineData("localhost:5000/app@sha256:aa", "localhost:5000/app@sha256:aa")]
    [InlineData("123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:aa", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:aa")]
    public void Docker_Hub_images_that_the_engine_lists_get_their_canonical_name(string listed, string name) =>
        Assert.Equal(name, ImageReference.CanonicalName(listed));

    [Fact]
    public void References_that_the_configuration_accepts_are_parsed_without_loss() =>
        Gen.OneOf(Pieces).Array[1, 8].Select(string.Concat)
            .Sample(
                text => ImageReferenceRule.Validate(text) is not null || Spellings(ImageReference.Parse(text)).Contains(text),
                iter: 50_000);

    [Fact]
    public void A_reference_built_from_parts_is_parsed_into_the_same_parts()
    {
        var host = Gen.OneOf(null, "localhost", "localhost:5000", "registry:1", "r.example.com", "[::1]:5000", Ecr, "Example.com");
        var path = Gen.Select(Gen.OneOf("a", "b-c", "f__g", "0"), Gen.OneOf("", "/d.e", "/localhost", "/x/y_z"), (first, rest) => first + rest);
        var tag = Gen.OneOf("latest", "v1.0-rc_1", "5000", "T");
        var digest = Gen.OneOf(null, "sha256:" + Hex);
        Gen.Select(host, path, tag, digest, (h, p, t, d) => new ImageReference(h, p, t, d))
            .Sample(parts => ImageReferenceRule.Validate(Text(parts)) is null && ImageReference.Parse(Text(parts)) == parts, iter: 5_000);
    }

    private static string Text(ImageReference parts) =>
        (parts.Host is null ? "" : parts.Host + "/") + parts.Path + ":" + parts.Tag + (parts.Digest is null ? "" : "@" + parts.Digest);

    /// <summary>All spellings of a reference. Parts with a default can be omitted.</summary>
    private static IEnumerable<string> Spellings(ImageReference parts)
    {
        yield return Text(parts);
        var isInLibrary = parts is { Host: "docker.io" } && parts.Path.StartsWith("library/", StringComparison.Ordinal);
        string[] paths = isInLibrary ? [parts.Path, parts.Path["library/".Length..]] : [parts.Path];
        foreach (var path in paths)
        {
            var full = parts with { Path = path };
            yield return Text(full);
            if (parts.Tag == "latest")
            {
                yield return Text(full).Replace(":latest" + (parts.Digest is null ? "" : "@"), parts.Digest is null ? "" : "@", StringComparison.Ordinal);
            }
        }
    }
}
