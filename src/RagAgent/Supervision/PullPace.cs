namespace RagAgent.Supervision;

/// <summary>How fast the bytes of a pull arrive, smoothed: an engine tells of them in bursts.</summary>
/// <param name="At">When it was last measured.</param>
/// <param name="Bytes">How many had arrived then.</param>
/// <param name="BytesPerSecond">Null until there were two measurements.</param>
internal sealed record PullPace(Moment At, long Bytes, double? BytesPerSecond)
{
    // What was longer ago than this counts for little.
    private const double Memory = 8;
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <param name="pace">Null: this is the first measurement of a pull.</param>
    /// <param name="at">Now.</param>
    /// <param name="bytes">How many have arrived; fewer than before: it is another pull.</param>
    public static PullPace Next(PullPace? pace, Moment at, long bytes)
    {
        if (pace is null || bytes < pace.Bytes)
        {
            return new PullPace(at, bytes, null);
        }
        var seconds = (at - pace.At).TotalSeconds;
        if (seconds < Shortest.TotalSeconds)
        {
            return pace;
        }
        var measured = (bytes - pace.Bytes) / seconds;
        var smoothed = pace.BytesPerSecond is { } before ? before + ((measured - before) * (1 - Math.Exp(-seconds / Memory))) : measured;
        return new PullPace(at, bytes, smoothed);
    }

    /// <summary>Bytes per second; null when it is not known, or nothing has been heard for a while.</summary>
    public double? Speed(Moment now) => now - At < Stalled && BytesPerSecond is > 0 ? BytesPerSecond : null;

    /// <summary>Until all bytes have arrived; unpacking comes on top. Null when nothing sensible can be said.</summary>
    public TimeSpan? TimeLeft(PullProgress progress, Moment now) =>
        Speed(now) is { } speed && (progress.TotalBytes - progress.DownloadedBytes) / speed is > 0 and var seconds && seconds < Longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
}
