using System.Text;
using RagAgent.Secrets;
using RagAgent.Supervision;

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
        var scrubbed = line.IsWhole ? vault.Scrub(text) : vault.ScrubTruncated(text);
        var (shown, isWhole) = Cut(scrubbed.TrimEnd('\r'), line.IsWhole);
        return ForeignText.Harmless(shown) + (isWhole ? "" : Mark);
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
}
