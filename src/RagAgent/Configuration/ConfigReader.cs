using System.Security.Cryptography;
using System.Text.Unicode;
using RagAgent.Configuration.Binding;
using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration;

/// <summary>Reads <c>/etc/ragagent.json</c>: the whole file, every mistake at once, each with its line and key.</summary>
/// <remarks>
/// The keys are those of <c>docs/configuration.md</c>. Comments, trailing commas and a UTF-8 byte order mark are allowed. It binds by hand, because
/// deserializing stops at the first mistake and forgets where it was.
/// </remarks>
public static class ConfigReader
{
    /// <summary>In bytes; far above what a configuration needs, far below what hurts.</summary>
    public const int MaxFileSize = 1 << 20;

    private const string SamplePath = "/usr/share/ragagent/ragagent.json";
    private const string MinimalExample = """{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }""";
    private const string Example = $"smallest useful file is: {MinimalExample} and a sample with every key is {SamplePath}";

    /// <summary>Reads and checks a file. Never throws for what is wrong with it, a missing file included.</summary>
    /// <param name="path">Used in every message as given here.</param>
    public static ConfigResult ReadFile(string path) => ReadFile(path, name => new FileStream(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));

    /// <param name="path">The file's name.</param>
    /// <param name="open">Opens it; a test's way to a file that may not be read.</param>
    internal static ConfigResult ReadFile(string path, Func<string, Stream> open)
    {
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
        {
            return Failed(Quoting.Value(path), "is no file name");
        }

        if (Directory.Exists(path))
        {
            return Failed(path, "is a folder; name the file in it");
        }

        if (FileKind.Detect(path) is { } kind and not FileKind.Regular)
        {
            return Failed(path, $"is {FileKind.Describe(kind)} and no file; write the configuration to a file and name that");
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
            return Failed(path, $"there is no such file; write it. The {Example}");
        }
        catch (UnauthorizedAccessException)
        {
            return Failed(path, $"may not be read by this user ({System.Environment.UserName}); let this user read it, as with 'chmod 644 {path}'");
        }
        catch (IOException failed)
        {
            return Failed(path, $"can't be read: {failed.Message}");
        }
    }

    /// <summary>Checks the text of a configuration file.</summary>
    /// <param name="utf8Json">The file's bytes.</param>
    /// <param name="fileName">Stands before every message.</param>
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
            errors.Add(new LineMap(text).PositionOf(text, invalidByte), null, "this byte is no UTF-8; save the file as UTF-8");
            return null;
        }

        var root = PositionedJsonParser.Parse(text, errors);
        if (root is ObjectNode file)
        {
            return ConfigBinder.Bind(file, errors);
        }

        if (root is not null)
        {
            errors.Add(root.Position, null, ErrorMessages.Must("be one object { … }", root.TypeName, $"the {Example}"));
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

        var at = 0;
        while (System.Text.Rune.DecodeFromUtf8(text[at..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }
}
