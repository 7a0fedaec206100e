using System.Text;
using RagAgent.Common;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>Makes a line of the app safe to show: scrubbed, of limited length and harmless to a terminal.</summary>
internal static class LogLineSanitizer
{
    /// <summary>In characters. The journal splits lines at 48 KB, and nobody reads lines that long.</summary>
    public const int MaxLength = 8 * 1024;

    private const string TruncationMark = " …(cut)";

    /// <summary>Scrubs before it cuts or changes anything: a part of a secret would not be recognized.</summary>
    public static string Sanitize(RawLogLine line, SecretVault vault)
    {
        var text = Encoding.UTF8.GetString(line.Text.Span);   // invalid UTF-8 becomes �
        var scrubbed = line.IsComplete ? vault.Scrub(text) : vault.ScrubTruncated(text);
        var (truncated, isComplete) = Truncate(scrubbed.TrimEnd('\r'), line.IsComplete);
        return UntrustedText.Sanitize(truncated) + (isComplete ? "" : TruncationMark);
    }

    private static (string Text, bool IsComplete) Truncate(string text, bool isComplete)
    {
        if (text.Length <= MaxLength)
        {
            return (text, isComplete);
        }
        var length = char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength;
        return (text[..length], false);
    }
}
