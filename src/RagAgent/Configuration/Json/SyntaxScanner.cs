using System.Buffers;
using System.Text;

namespace RagAgent.Configuration.Json;

/// <summary>Examines the bytes of a text that did not parse.</summary>
internal static class SyntaxScanner
{
    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);
    private static readonly SearchValues<byte> NumberChars = SearchValues.Create("+-.0123456789eE"u8);

    /// <summary>Skips white space and comments. Stops at an invalid comment, with the reason.</summary>
    public static int SkipTrivia(ReadOnlySpan<byte> text, int offset, out string? badComment)
    {
        badComment = null;
        while (offset < text.Length)
        {
            if (text[offset] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                offset++;
            }
            else if (text[offset..].StartsWith("//"u8))
            {
                var length = text[offset..].IndexOfAny((byte)'\n', (byte)'\r');
                var comment = length < 0 ? text[offset..] : text.Slice(offset, length);
                if (comment.IndexOf("\u2028"u8) >= 0 || comment.IndexOf("\u2029"u8) >= 0)
                {
                    badComment = "this comment contains an invisible line separator (U+2028 or U+2029); remove it";
                    return offset;
                }

                offset += comment.Length;
            }
            else if (text[offset..].StartsWith("/*"u8))
            {
                var length = text[(offset + 2)..].IndexOf("*/"u8);
                if (length < 0)
                {
                    badComment = "this comment is never closed; add */";
                    return offset;
                }

                offset += length + 4;
            }
            else
            {
                break;
            }
        }

        return offset;
    }

    public static bool IsTypographicQuote(ReadOnlySpan<byte> text, int offset) =>
        text[offset..].StartsWith("“"u8) || text[offset..].StartsWith("”"u8) || text[offset..].StartsWith("„"u8)
        || text[offset..].StartsWith("‘"u8) || text[offset..].StartsWith("’"u8);

    /// <summary>Skips the string that begins at <paramref name="offset"/>.</summary>
    public static int EndOfString(ReadOnlySpan<byte> text, int offset, out SyntaxError? error)
    {
        error = null;
        for (var i = offset + 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'"': return i + 1;
                case (byte)'\n' or (byte)'\r':
                    error = new(offset, "the string that begins here has no closing double quote on its line");
                    return i;
                case < 0x20:
                    error = new(i, @"a tab or another control character in a string; escape it as \t or \u0000");
                    return i;
                case (byte)'\\':
                    if (!IsEscape(text[(i + 1)..]))
                    {
                        error = new(i, @"a backslash in a string must be doubled (\\)");
                        return i;
                    }

                    i++;
                    break;
            }
        }

        error = new(offset, "the string that begins here has no closing double quote");
        return text.Length;
    }

    public static string? ExplainInvalidNumber(ReadOnlySpan<byte> text, int offset)
    {
        if (text[offset] == (byte)'+')
        {
            return "a number can't begin with a plus sign";
        }

        if (text[offset] == (byte)'.')
        {
            return "a number needs a digit before the decimal point, like 0.5";
        }

        var length = text[offset..].IndexOfAnyExcept(NumberChars);
        var number = length < 0 ? text[offset..] : text.Slice(offset, length);
        var endsThere = length < 0 || ",}] \t\r\n/"u8.Contains(text[offset + length]);
        if (!endsThere)
        {
            return null;
        }

        return number.TrimStart((byte)'-') is [(byte)'0', >= (byte)'0' and <= (byte)'9', ..]
            ? "a number can't begin with 0; strings must be in double quotes"
            : "this is not a number; strings must be in double quotes";
    }

    public static string? ExplainInvalidWord(ReadOnlySpan<byte> text, int offset)
    {
        var rest = text[offset..];
        var length = rest.IndexOfAnyExceptInRange((byte)'A', (byte)'z');
        return Encoding.ASCII.GetString(length < 0 ? rest : rest[..length]).ToUpperInvariant() switch
        {
            "TRUE" or "FALSE" or "NULL" => "true, false and null are written in lower case",
            "YES" or "NO" or "ON" or "OFF" => "write true or false, without quotes",
            "NONE" or "NIL" or "UNDEFINED" => "for no value, write null",
            _ => null,
        };
    }

    private static bool IsEscape(ReadOnlySpan<byte> after) => after switch
    {
        [(byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t', ..] => true,
        [(byte)'u', _, _, _, _, ..] => !after.Slice(1, 4).ContainsAnyExcept(HexDigits),
        _ => false,
    };
}
