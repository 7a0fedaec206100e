using System.Text;

namespace RagAgent.Common;

/// <summary>Sanitizes text from registries, proxies, the engine or the app, so that it can't end a line or move a cursor.</summary>
internal static class UntrustedText
{
    /// <summary>Replaces each unsafe character with a visible one.</summary>
    public static string Sanitize(string text) =>
        text.Any(IsUnsafe) ? string.Concat(text.Select(character => IsUnsafe(character) ? Placeholder(character) : character)) : text;

    /// <summary>Also joins lines and words with single spaces, and truncates long text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="maxLength">In characters, without the ellipsis.</param>
    public static string ToLine(string text, int maxLength)
    {
        var line = new StringBuilder(Math.Min(text.Length, maxLength + 2));
        foreach (var character in text)
        {
            if (line.Length >= maxLength)
            {
                return line.ToString().TrimEnd() + " …";
            }
            if (!char.IsWhiteSpace(character))
            {
                line.Append(IsUnsafe(character) ? Placeholder(character) : character);
            }
            else if (line.Length > 0 && line[^1] != ' ')
            {
                line.Append(' ');
            }
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>Moves a cursor, ends a line for some readers, or reverses the order of what follows.</summary>
    private static bool IsUnsafe(char c) =>
        (char.IsControl(c) && c != '\t') || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    /// <summary>Unicode has a visible symbol for each ASCII control character, such as ␛ for escape.</summary>
    private static char Placeholder(char c) => c switch
    {
        < ' ' => (char)('\u2400' + c),
        '\u007f' => '\u2421',
        _ => '\ufffd',
    };
}
