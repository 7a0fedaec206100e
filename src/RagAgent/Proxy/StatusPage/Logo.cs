using System.Text;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.StatusPage;

/// <summary>The status page's logo as a data URL. An unusable one is logged and left out; the page works without it.</summary>
internal static class Logo
{
    private const int MaxSize = 256 * 1024;
    private const int SniffLength = 4096;   // an SVG may start with a declaration, a licence or a document type

    /// <param name="path">The configured file; null: none.</param>
    /// <param name="logger">Logs why the file can't be used.</param>
    /// <returns><c>data:image/…</c>; null if there is no usable logo.</returns>
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
            return (null, $"it is {FileKind.Describe(kind)}, not a file");
        }
        try
        {
            using var file = File.OpenRead(path);
            var content = new byte[MaxSize + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            if (length > MaxSize)
            {
                return (null, "it is larger than 256 KiB");
            }
            return DetectMediaType(content.AsSpan(0, length)) is { } type
                ? ($"data:{type};base64,{Convert.ToBase64String(content, 0, length)}", null)
                : (null, "it is not an SVG, PNG, JPEG or WebP image");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, "the file does not exist");
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

    /// <summary>Judged by content, not by file name. Null: not a supported image.</summary>
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
