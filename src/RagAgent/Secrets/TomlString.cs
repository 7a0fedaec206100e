using System.Text;

namespace RagAgent.Secrets;

/// <summary>Text as a TOML basic string on one line, which all parsers that Streamlit uses read alike.</summary>
/// <remarks>
/// Streamlit 1.56 uses Python's package toml 0.10.2, which misreads escaped quotes at the start, and an escaped backslash before
/// <c>u</c>. So quotes and such a <c>u</c> become code points, and a string that begins with a quote gets triple ones.
/// </remarks>
internal static class TomlString
{
    private const string Triple = "\"\"\"";

    public static string Quote(string text)
    {
        var mark = text.StartsWith('"') ? Triple : "\"";
        return $"{mark}{Escape(text)}{mark}";
    }

    /// <summary>The inside of the string.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        var previous = '\0';
        foreach (var character in text)
        {
            if (character == '\\')
            {
                escaped.Append(@"\\");
            }
            else if (character is < ' ' or '\u007f' || character == '"' || (character is 'u' or 'U' && previous == '\\'))
            {
                escaped.Append($"\\u{(int)character:X4}");
            }
            else
            {
                escaped.Append(character);
            }

            previous = character;
        }

        return escaped.ToString();
    }
}
