using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using RagAgent.Configuration.Binding;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration;

/// <param name="Config">Null exactly if there are errors.</param>
/// <param name="Errors">All errors, in the order of the file.</param>
/// <param name="Fingerprint">Hash of the file's bytes. Empty if the file could not be read.</param>
internal sealed record ConfigResult(AgentConfig? Config, IReadOnlyList<ConfigError> Errors, string Fingerprint);

/// <summary>Reads <c>/etc/ragagent.json</c> and reports all errors at once, each with its line and key.</summary>
/// <remarks>
/// Comments, trailing commas and a UTF-8 byte order mark are allowed. The binding is written by hand because
/// a deserializer stops at the first error and loses its position.
/// </remarks>
internal static class ConfigReader
{
    /// <summary>In bytes. Far more than a configuration needs, and still harmless.</summary>
    public const int MaxFileSize = 1 << 20;

    private const string SamplePath = "/usr/share/ragagent/ragagent.json";
    private const string MinimalExample = """{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }""";
    private const string Example = $"smallest useful file is {MinimalExample}; a sample with every key is in {SamplePath}";

    /// <summary>Reads and validates a file. Errors, such as a missing file, are in the result and never thrown.</summary>
    /// <param name="path">Messages show it as given.</param>
    public static ConfigResult ReadFile(string path) =>
        ReadFile(path, name => new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));

    /// <param name="path">Messages show it as given.</param>
    /// <param name="open">Opens the file. Tests pass one that fails.</param>
    internal static ConfigResult ReadFile(string path, Func<string, Stream> open)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            return Failed(Quoting.Value(path), "is not a valid file name");
        }

        if (Directory.Exists(path))
        {
            return Failed(path, "is a folder; give the path of the file in it");
        }

        if (FileKind.Detect(path) is { } kind and not FileKind.Regular)
        {
            return Failed(path, $"is {FileKind.Describe(kind)}, not a file; put the configuration in a file and give its path");
        }

        try
        {
            using var file = open(path);
            var text = new byte[MaxFileSize + 1];
            var length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return Read(text.AsSpan(0, length), path);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return Failed(path, $"there is no such file; create it. The {Example}");
        }
        catch (UnauthorizedAccessException)
        {
            return Failed(path, $"can't be read by this user ({Environment.UserName}); allow it, for example with 'chmod 644 {path}'");
        }
        catch (IOException failed)
        {
            return Failed(path, $"can't be read: {failed.Message}");
        }
    }

    /// <param name="utf8Json">The content of a configuration file.</param>
    /// <param name="fileName">The prefix of every message.</param>
    public static ConfigResult Read(ReadOnlySpan<byte> utf8Json, string fileName)
    {
        var errors = new ConfigErrors(fileName);
        var config = Bind(utf8Json.StartsWith("\ufeff"u8) ? utf8Json["\ufeff"u8.Length..] : utf8Json, errors);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(utf8Json));
        return errors.Any ? new ConfigResult(null, errors.Sorted(), fingerprint) : new ConfigResult(config, [], fingerprint);
    }

    private static ConfigResult Failed(string file, string problem) => new(null, [new(file, null, null, null, problem)], "");

    private static AgentConfig? Bind(ReadOnlySpan<byte> text, ConfigErrors errors)
    {
        if (FindTextProblem(text) is { } problem)
        {
            errors.AddForFile(problem);
            return null;
        }

        if (FindInvalidByte(text) is { } invalidByte)
        {
            errors.Add(new LineMap(text).PositionOf(text, invalidByte), null, "this is not valid UTF-8; save the file as UTF-8");
            return null;
        }

        var root = PositionedJsonParser.Parse(text, errors);
        if (root is ObjectNode file)
        {
            return ConfigBinder.Bind(file, errors);
        }

        if (root is not null)
        {
            errors.Add(root.Position, null, ErrorMessages.Must("be a single object { … }", root.TypeName, $"the {Example}"));
        }

        return null;
    }

    private static string? FindTextProblem(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxFileSize)
        {
            return $"is larger than {MaxFileSize >> 20} MiB; this can't be the configuration";
        }

        if (text.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || text.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            return "is UTF-16; save the file as UTF-8";
        }

        var begin = SyntaxScanner.SkipTrivia(text, 0, out var badComment);
        return begin == text.Length && badComment is null ? $"is empty. The {Example}" : null;
    }

    private static int? FindInvalidByte(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            return null;
        }

        var offset = 0;
        while (Rune.DecodeFromUtf8(text[offset..], out _, out var length) == OperationStatus.Done)
        {
            offset += length;
        }

        return offset;
    }
}
