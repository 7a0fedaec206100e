using System.Buffers;
using System.Globalization;
using RagAgent.Common;
using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>Checks an image reference against the grammar of the CNCF distribution project.</summary>
internal static class ImageReferenceRule
{
    private const int MaxNameLength = 255;
    private const int MaxTagLength = 128;
    private const string Lower = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly SearchValues<char> WordChars = SearchValues.Create(Lower);
    private static readonly SearchValues<char> TagChars = SearchValues.Create(Lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-");
    private static readonly SearchValues<char> HostChars = SearchValues.Create(Lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

    public static RuleViolation? Validate(string image)
    {
        const string Example = "be an image like \"ragstream-web\" or \"123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragstream-web:latest\"";
        if (image.Length == 0)
        {
            return new(Example);
        }

        if (image.Any(char.IsWhiteSpace))
        {
            return new("not contain spaces");
        }

        var scheme = image.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            return new("begin with the registry's name", $"remove {Quoting.Value(image[..(scheme + 3)])}");
        }

        var (host, path, tag, digest) = ImageReference.Split(image);
        if (digest is not null && !IsDigest(digest))
        {
            return new("have a digest like \"sha256:…\" with 64 hexadecimal digits after the '@'");
        }

        if (tag is not null && (tag.Length is 0 or > MaxTagLength || tag[0] is '.' or '-' || tag.AsSpan().ContainsAnyExcept(TagChars)))
        {
            return new($"have a tag of 1 to {MaxTagLength} letters, digits, '_', '.' and '-' after the ':'");
        }

        var prefix = host is null ? "" : host + "/";
        var nameLength = prefix.Length + path.Length;
        if (nameLength > MaxNameLength)
        {
            return new($"have a name of at most {MaxNameLength} characters");
        }

        if (host is not null && !IsHost(host))
        {
            return new("begin with a registry like \"registry.example.com\" or \"localhost:5000\"");
        }

        if (path.Any(char.IsAsciiLetterUpper))
        {
            return new("have a repository in lower case", $"write {Quoting.Value(prefix + path.ToLowerInvariant() + image[nameLength..])}");
        }

        return path.Split('/').All(IsPathComponent)
            ? null
            : new(Example, "a repository consists of lower-case letters and digits, joined by '.', '_', '__', '-' and '/'");
    }

    private static (string Before, string? After) Split(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);


    private static bool IsPort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535;

    private static bool IsHost(string host)
    {
        var colon = host.LastIndexOf(':');
        var hasPort = colon > host.LastIndexOf(']');
        (var name, var port) = Split(host, hasPort ? colon : -1);
        if (port is not null && !IsPort(port))
        {
            return false;
        }

        if (name.StartsWith('['))
        {
            return name.EndsWith(']') && System.Net.IPAddress.TryParse(name, out _);
        }

        return name.Split('.').All(label =>
            label.Length > 0 && !label.AsSpan().ContainsAnyExcept(HostChars) && !label.StartsWith('-') && !label.EndsWith('-'));
    }

    private static bool IsPathComponent(string part)
    {
        var at = EndOfWord(part, 0);
        if (at == 0)
        {
            return false;
        }

        while (at < part.Length)
        {
            var word = part.AsSpan(at).IndexOfAny(WordChars) is var length and >= 0 ? at + length : part.Length;
            var separator = part[at..word];
            if (separator is not ("." or "_" or "__") && separator.AsSpan().ContainsAnyExcept('-'))
            {
                return false;
            }

            at = EndOfWord(part, word);
            if (at == word)
            {
                return false;
            }
        }

        return true;
    }

    private static int EndOfWord(string part, int from)
    {
        var length = part.AsSpan(from).IndexOfAnyExcept(WordChars);
        return length < 0 ? part.Length : from + length;
    }

    private static bool IsDigest(string digest)
    {
        (var algorithm, var hex) = Split(digest, digest.IndexOf(':', StringComparison.Ordinal));
        var length = algorithm switch { "sha256" => 64, "sha512" => 128, _ => 0 };
        return hex is not null && hex.Length == length && hex.All(char.IsAsciiHexDigitLower);
    }
}
