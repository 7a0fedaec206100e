using System.Text;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>A line of the app's as it may be shown: scrubbed, of bounded length, and doing nothing to a terminal.</summary>
internal static class AppText
{
    /// <summary>In characters. The journal splits lines at 48 KB, and nobody reads one that long.</summary>
    public const int Longest = 8 * 1024;

    private const string Mark = " …(cut)";

    /// <summary>Scrubbed before anything is cut or changed: a part of a secret is not known as one.</summary>
    public static string Of(RawLine line, SecretVault vault)
    {
        var text = Encoding.UTF8.GetString(line.Text.Span);   // what is no UTF-8 becomes �
        var scrubbed = line.IsWhole ? vault.Scrub(text) : vault.ScrubBeginning(text);
        var (shown, isWhole) = Cut(scrubbed.TrimEnd('\r'), line.IsWhole);
        return Harmless(shown) + (isWhole ? "" : Mark);
    }

    private static (string Text, bool IsWhole) Cut(string text, bool isWhole)
    {
        if (text.Length <= Longest)
        {
            return (text, isWhole);
        }
        var length = char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest;
        return (text[..length], false);
    }

    private static string Harmless(string text) => text.Any(IsHarmful) ? string.Concat(text.Select(c => IsHarmful(c) ? Picture(c) : c)) : text;

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
