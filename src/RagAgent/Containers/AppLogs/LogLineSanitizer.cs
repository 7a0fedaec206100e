using System.Text;
using RagAgent.Common;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>A line of the app's as it may be shown: scrubbed, of bounded length, and doing nothing to a terminal.</summary>
internal static class LogLineSanitizer
{
    /// <summary>In characters. The journal splits lines at 48 KB, and nobody reads one that long.</summary>
    public const int MaxLength = 8 * 1024;

    private const string TruncationMark = " …(cut)";

    /// <summary>Scrubbed before anything is cut or changed: a part of a secret is not known as one.</summary>
    public static string Sanitize(RawLogLine line, SecretVault vault)
    {
        var text = Encoding.UTF8.GetString(line.Text.Span);   // what is no UTF-8 becomes �
        var scrubbed = line.IsComplete ? vault.Scrub(text) : vault.ScrubTruncated(text);
        var (truncated, isComplete) = Truncate(scrubbed.TrimEnd('\r'), line.IsComplete);
        return UntrustedText.Sanitize(truncated) + (isComplete ? "" : TruncationMark);
    }

    private static (string Text, bool IsWhole) Truncate(string text, bool isComplete)
    {
        if (text.Length <= MaxLength)
        {
            return (text, isComplete);
        }
        var length = char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        return (text[..length], false);
    }
}
