namespace RagAgent.Common;

/// <summary>Numbers and identifiers as people write them.</summary>
internal static class Humanize
{
    /// <summary>For example <c>1h30m</c>, <c>20s</c>, <c>250ms</c>.</summary>
    public static string Duration(TimeSpan span)
    {
        if (span < TimeSpan.FromSeconds(1))
        {
            return $"{span.TotalMilliseconds:0}ms";
        }
        var rounded = TimeSpan.FromSeconds(Math.Round(span.TotalSeconds));
        var text = (rounded.Days > 0 ? $"{rounded.Days}d" : "") + (rounded.Hours > 0 ? $"{rounded.Hours}h" : "") +
            (rounded.Minutes > 0 ? $"{rounded.Minutes}m" : "") + (rounded.Seconds > 0 ? $"{rounded.Seconds}s" : "");
        return text.Length > 0 ? text : "0s";
    }

    /// <summary>For example <c>1.2 GB</c>; decimal units, as registries use.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => $"{bytes / 1e9:0.0} GB",
        >= 1_000_000 => $"{bytes / 1e6:0} MB",
        >= 1_000 => $"{bytes / 1e3:0} kB",
        _ => $"{bytes} B",
    };

    /// <summary>The start of a digest, long enough to compare: <c>sha256:0123456789ab</c>.</summary>
    public static string Digest(string digest) => digest.Length > 19 ? digest[..19] : digest;
}
