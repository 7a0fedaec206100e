using System.Text;
using RagAgent.Proxy.StatusPage;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The status page's logo.</summary>
public sealed class LogoTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly List<string> _logMessages = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("image/png", new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0 })]
    [InlineData("image/jpeg", new byte[] { 0xFF, 0xD8, 0xFF, 0xE0 })]
    [InlineData("image/webp", new byte[] { 0x52, 0x49, 0x46, 0x46, 1, 2, 3, 4, 0x57, 0x45, 0x42, 0x50, 0 })]
    public void An_image_type_is_detected_by_content(string type, byte[] content)
    {
        Assert.Equal($"data:{type};base64,{Convert.ToBase64String(content)}", Read(content));
        Assert.Empty(_logMessages);
    }

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")]
    [InlineData("\ufeff<?xml version=\"1.0\"?>\n<!-- a licence -->\n<svg/>")]
    public void An_SVG_may_start_with_a_declaration(string text) =>
        Assert.StartsWith("data:image/svg+xml;base64,", Read(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("GIF89a")]
    [InlineData("<html><body>")]
    [InlineData("a text with <svg in it")]
    public void A_file_that_is_no_image_is_left_out_and_logged(string text)
    {
        Assert.Null(Read(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(
            $"The status page has no logo: {Path} can't be used: it is not an SVG, PNG, JPEG or WebP image.",
            Assert.Single(_logMessages));
    }

    [Fact]
    public void A_logo_that_is_too_large_is_left_out_and_logged()
    {
        Assert.NotNull(Read([0xFF, 0xD8, 0xFF, .. new byte[(256 * 1024) - 3]]));
        Assert.Null(Read([0xFF, 0xD8, 0xFF, .. new byte[(256 * 1024) - 2]]));
        Assert.EndsWith("it is larger than 256 KiB.", Assert.Single(_logMessages), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_a_folder_and_a_device_are_left_out_and_logged()
    {
        Assert.Null(Logo.Read(Path, new ListLogger(_logMessages)));
        Assert.Null(Logo.Read(_folder.FullName, new ListLogger(_logMessages)));
        Assert.Null(Logo.Read("/dev/zero", new ListLogger(_logMessages)));
        Assert.Equal(3, _logMessages.Count);
        Assert.EndsWith("the file does not exist.", _logMessages[0], StringComparison.Ordinal);
        Assert.EndsWith("it is a device, not a file.", _logMessages[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_configured_logo_nothing_is_logged()
    {
        Assert.Null(Logo.Read(null, new ListLogger(_logMessages)));
        Assert.Empty(_logMessages);
    }

    private string Path => System.IO.Path.Combine(_folder.FullName, "logo.svg");

    private string? Read(byte[] content)
    {
        File.WriteAllBytes(Path, content);
        return Logo.Read(Path, new ListLogger(_logMessages));
    }
}
