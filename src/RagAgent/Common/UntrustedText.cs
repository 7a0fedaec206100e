using System.Text;

namespace RagAgent.Common;

/// <summary>What a registry, a proxy, the engine or the app said, made fit to be shown: it can neither end a line nor move a cursor.</summary>
internal static class UntrustedText
{
    /// <summary>Each harmful character becomes its picture; nothing else changes.</summary>
    public static string Sanitize(string text) => text.Any(IsUnsafe) ? string.Concat(text.Select(c => IsUnsafe(c) ? Placeholder(c) : c)) : text;

    /// <summary>The same as one line: what separates lines and words becomes a single space. What is too long is cut.</summary>
    /// <param name="text">From anywhere.</param>
    /// <param name="maxLength">In characters, without the mark of the cut.</param>
    public static string ToLine(string text, int maxLength)
    {
        var line = new StringBuilder(Math.Min(text.Length, maxLength + 2));
        foreach (var c in text)
        {
            if (line.Length >= maxLength)
            {
                return line.ToString().TrimEnd() + " …";
            }
            if (!char.IsWhiteSpace(c))
            {
                line.Append(IsUnsafe(c) ? Placeholder(c) : c);
            }
            else if (line.Length > 0 && line[^1] != ' ')
            {
                line.Append(' ');
            }
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>Moves a cursor, ends a line for some reader, or turns the order of what follows.</summary>
    private static bool IsUnsafe(char c) => (char.IsControl(c) && c != '\t') || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    /// <summary>Unicode has a picture for each of the old control characters: ␛ for an escape.</summary>
    private static char Placeholder(char c) => c switch
    {
        < ' ' => (char)('\u2400' + c),
        '\u007f' => '\u2421',
        _ => '\ufffd',
    };
}
