using System.Text;

namespace RagAgent.Supervision;

/// <summary>What a registry, a proxy, the engine or the app said, made fit to be shown: it can neither end a line nor move a cursor.</summary>
internal static class ForeignText
{
    /// <summary>Each harmful character becomes its picture; nothing else changes.</summary>
    public static string Harmless(string text) => text.Any(IsHarmful) ? string.Concat(text.Select(c => IsHarmful(c) ? Picture(c) : c)) : text;

    /// <summary>The same as one line: what separates lines and words becomes a single space. What is too long is cut.</summary>
    /// <param name="text">From anywhere.</param>
    /// <param name="longest">In characters, without the mark of the cut.</param>
    public static string OneLine(string text, int longest)
    {
        var line = new StringBuilder(Math.Min(text.Length, longest + 2));
        foreach (var c in text)
        {
            if (line.Length >= longest)
            {
                return line.ToString().TrimEnd() + " …";
            }
            if (!char.IsWhiteSpace(c))
            {
                line.Append(IsHarmful(c) ? Picture(c) : c);
            }
            else if (line.Length > 0 && line[^1] != ' ')
            {
                line.Append(' ');
            }
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>Moves a cursor, ends a line for some reader, or turns the order of what follows.</summary>
    private static bool IsHarmful(char c) => (char.IsControl(c) && c != '\t') || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    /// <summary>Unicode has a picture for each of the old control characters: ␛ for an escape.</summary>
    private static char Picture(char c) => c switch
    {
        < ' ' => (char)('\u2400' + c),
        '\u007f' => '\u2421',
        _ => '\ufffd',
    };
}
