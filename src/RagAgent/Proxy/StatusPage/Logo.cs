using System.Text;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.StatusPage;

/// <summary>The picture of the page, as an address that holds it. One that can't be used is told of and left out: the page is never without its text for it.</summary>
internal static class Logo
{
    private const int MaxSize = 256 * 1024;
    private const int SniffLength = 4096;   // an SVG may begin with a declaration, a licence, a document type

    /// <param name="path">Null: none is wanted.</param>
    /// <param name="logger">Hears why it can't be used.</param>
    /// <returns><c>data:image/…</c>, or null.</returns>
    public static string? Read(string? path, ILogger logger)
    {
        if (path is null)
        {
            return null;
        }
        var (logo, reason) = Read(path);
        if (reason is not null)
        {
            logger.LogoUnusable(path, reason);
        }
        return logo;
    }

    private static (string? Logo, string? Reason) Read(string path)
    {
        if (FileKind.Detect(path) is { } kind and not FileKind.Regular)
        {
            return (null, $"it is {FileKind.Describe(kind)} and no file");
        }
        try
        {
            using var file = File.OpenRead(path);
            var content = new byte[MaxSize + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length > MaxSize ? (null, "it is larger than 256 KiB")
                : DetectMediaType(content.AsSpan(0, length)) is { } type ? ($"data:{type};base64,{Convert.ToBase64String(content, 0, length)}", null)
                : (null, "it is no SVG, PNG, JPEG or WebP picture");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, "there is no such file");
        }
        catch (UnauthorizedAccessException)
        {
            return (null, "the agent may not read it, or it is a folder");
        }
        catch (IOException exception)
        {
            return (null, ExceptionMapping.DescribeCause(exception));
        }
    }

    /// <summary>By what it holds, whatever its name says; null: none of those that browsers show.</summary>
    public static string? DetectMediaType(ReadOnlySpan<byte> content) => content switch
    {
        _ when content.Length > 8 && content[0] == 0x89 && content[1..].StartsWith("PNG\r\n\x1a\n"u8) => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        _ when content.Length > 12 && content.StartsWith("RIFF"u8) && content[8..].StartsWith("WEBP"u8) => "image/webp",
        _ when IsSvg(content) => "image/svg+xml",
        _ => null,
    };

    private static bool IsSvg(ReadOnlySpan<byte> content)
    {
        var head = Encoding.UTF8.GetString(content[..Math.Min(content.Length, SniffLength)]).TrimStart('\ufeff', ' ', '\t', '\r', '\n');
        return head.StartsWith('<') && head.Contains("<svg", StringComparison.Ordinal) && !head.Contains('\0', StringComparison.Ordinal);
    }
}
