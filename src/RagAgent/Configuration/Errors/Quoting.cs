using System.Buffers;
using System.Text;

namespace RagAgent.Configuration.Errors;

/// <summary>Makes parts of the file fit for messages: short, on one line, and never an OpenAI key.</summary>
internal static class Quoting
{
    private const int MaxValueLength = 80;
    private const int MaxKeyLength = 64;
    private const int MinOpenAiKeyLength = 20;
    private static readonly SearchValues<char> NameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-$");

    /// <summary>Puts a value in double quotes.</summary>
    public static string Value(string value)
    {
        if (ContainsOpenAiKey(value))
        {
            return "something that looks like an OpenAI key";
        }

        var quoted = new StringBuilder("\"");
        foreach (var character in value.AsSpan(0, Math.Min(value.Length, MaxValueLength)))
        {
            quoted.Append(char.IsControl(character) || char.IsSurrogate(character) ? '?' : character);
        }

        return quoted.Append(value.Length > MaxValueLength ? "…\"" : "\"").ToString();
    }

    /// <summary>Makes a key part of a dotted key.</summary>
    public static string Key(string name)
    {
        var plain = name.Length is > 0 and <= MaxKeyLength && !name.AsSpan().ContainsAnyExcept(NameChars);
        if (ContainsOpenAiKey(name))
        {
            return "(not shown)";
        }

        return plain ? name : Value(name);
    }

    /// <summary>Whether the value contains <c>sk-…</c> of 20 or more characters, also inside other text such as a header.</summary>
    public static bool ContainsOpenAiKey(string value)
    {
        var index = value.IndexOf("sk-", StringComparison.Ordinal);
        for (; index >= 0; index = value.IndexOf("sk-", index + 1, StringComparison.Ordinal))
        {
            if (index > 0 && char.IsAsciiLetterOrDigit(value[index - 1]))
            {
                continue;
            }

            var rest = value.AsSpan(index);
            var length = rest.IndexOfAnyExcept(NameChars);
            if ((length < 0 ? rest.Length : length) >= MinOpenAiKeyLength)
            {
                return true;
            }
        }

        return false;
    }
}
