using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigImageTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("ragstream-web")]
    [InlineData("ragstream-web:latest")]
    [InlineData("team/ragstream__web:v1.0-rc_1")]
    [InlineData("a/b--c/d.e/f_g")]
    [InlineData("123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragstream-web")]
    [InlineData("localhost/app")]
    [InlineData("localhost:5000/app:1")]
    [InlineData("127.0.0.1:5000/app")]
    [InlineData("[::1]:5000/app")]
    [InlineData("Registry.Example.com/app")]
    [InlineData("app@sha256:" + Hex)]
    [InlineData("registry.example.com/app:v1@sha256:" + Hex)]
    public void A_valid_image_reference_is_accepted(string image) =>
        Assert.Equal(image, AssertAccepted($$"""{ "image": "{{image}}" }""").Image);

    [Theory]
    [InlineData("RAGstream-web", "must have a repository in lower case, but is \"RAGstream-web\"; write \"ragstream-web\"")]
    [InlineData("Registry.example.com/App:V1", "must have a repository in lower case, but is \"Registry.example.com/App:V1\"; write \"Registry.example.com/app:V1\"")]
    [InlineData("Team/app", "must have a repository in lower case, but is \"Team/app\"; write \"team/app\"")]
    [InlineData("https://registry.example.com/app", "must begin with the registry's name, but is \"https://registry.example.com/app\"; remove \"https://\"")]
    [InlineData("my app", "must not contain spaces, but is \"my app\"")]
    [InlineData("app:", "must have a tag of 1 to 128 letters, digits, '_', '.' and '-' after the ':', but is \"app:\"")]
    [InlineData("app:-x", "must have a tag of 1 to 128 letters, digits, '_', '.' and '-' after the ':', but is \"app:-x\"")]
    [InlineData("app@sha256:abc", "must have a digest like \"sha256:…\" with 64 hexadecimal digits after the '@', but is \"app@sha256:abc\"")]
    [InlineData("app@", "must have a digest like \"sha256:…\" with 64 hexadecimal digits after the '@', but is \"app@\"")]
    [InlineData("registry:99999/app", "must begin with a registry like \"registry.example.com\" or \"localhost:5000\", but is \"registry:99999/app\"")]
    [InlineData("-registry.example.com/app", "must begin with a registry like \"registry.example.com\" or \"localhost:5000\", but is \"-registry.example.com/app\"")]
    public void An_invalid_image_reference_is_rejected_with_the_reason(string image, string expected) =>
        Assert.Equal($"image: {expected}", AssertSingleError($$"""{ "image": "{{image}}" }"""));

    [Theory]
    [InlineData("")]
    [InlineData("/app")]
    [InlineData("app/")]
    [InlineData("a//b")]
    [InlineData("app_")]
    [InlineData("a___b")]
    [InlineData("a._b")]
    [InlineData("äpp")]
    [InlineData("registry.example.com/")]
    public void An_invalid_repository_name_is_rejected_with_an_example(string image) =>
        Assert.StartsWith("image: must be an image like \"ragstream-web\"", AssertSingleError($$"""{ "image": "{{image}}" }"""), StringComparison.Ordinal);

    [Fact]
    public void A_missing_image_is_an_error() =>
        Assert.Equal(["ragagent.json:1:1: image: is missing; set the image to run, like \"image\": \"ragstream-web\""], ErrorLines("{}"));

    [Fact]
    public void Null_is_not_a_valid_image() =>
        Assert.Equal("image: must be an image like \"ragstream-web\", but is null; this key has no default", AssertSingleError("""{ "image": null }"""));

    [Fact]
    public void An_image_name_longer_than_registries_accept_is_rejected() =>
        Assert.StartsWith("image: must have a name of at most 255 characters", AssertSingleError($$"""{ "image": "{{new string('a', 256)}}" }"""), StringComparison.Ordinal);
}
