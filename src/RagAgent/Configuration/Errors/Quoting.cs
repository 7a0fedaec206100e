using System.Buffers;
using System.Text;

namespace RagAgent.Configuration.Errors;

/// <summary>How something from the file appears in a message: short, on one line, and never a key of OpenAI.</summary>
internal static class Quoting
{
    private const int MaxValueLength = 80;
    private const int MaxKeyLength = 64;
    private const int MinOpenAiKeyLength = 20;
    private static readonly SearchValues<char> NameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$");

    /// <summary>A value, in double quotes.</summary>
    public static string Value(string value)
    {
        if (ContainsOpenAiKey(value))
        {
            return "something that looks like an OpenAI key";
        }

        var shown = new StringBuilder("\"");
        foreach (var character in value.AsSpan(0, Math.Min(value.Length, MaxValueLength)))
        {
            shown.Append(char.IsControl(character) || char.IsSurrogate(character) ? '?' : character);
        }

        return shown.Append(value.Length > MaxValueLength ? "…\"" : "\"").ToString();
    }

    /// <summary>A key, as a part of a dotted key.</summary>
    public static string Key(string name)
    {
        var plain = name.Length is > 0 and <= MaxKeyLength && !name.AsSpan().ContainsAnyExcept(NameChars);
        if (ContainsOpenAiKey(name))
        {
            return "(not shown)";
        }

        return plain ? name : Value(name);
    }

    /// <summary><c>sk-…</c> of 20 or more characters, also inside a longer value such as a header.</summary>
    public static bool ContainsOpenAiKey(string value)
    {
        for (var at = value.IndexOf("sk-", StringComparison.Ordinal); at >= 0; at = value.IndexOf("sk-", at + 1, StringComparison.Ordinal))
        {
            if (at > 0 && char.IsAsciiLetterOrDigit(value[at - 1]))
            {
                continue;
            }

            var rest = value.AsSpan(at);
            var length = rest.IndexOfAnyExcept(NameChars);
            if ((length < 0 ? rest.Length : length) >= MinOpenAiKeyLength)
            {
                return true;
            }
        }

        return false;
    }
}
