using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>How fast the bytes of a pull arrive, smoothed: an engine tells of them in bursts.</summary>
/// <param name="At">When it was last measured.</param>
/// <param name="Bytes">How many had arrived then.</param>
/// <param name="BytesPerSecond">Null until there were two measurements.</param>
internal sealed record PullRate(Moment At, long Bytes, double? BytesPerSecond)
{
    // What was longer ago than this counts for little.
    private const double SmoothingSeconds = 8;
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StalledAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MaxEstimate = TimeSpan.FromHours(24);

    /// <param name="pace">Null: this is the first measurement of a pull.</param>
    /// <param name="at">Now.</param>
    /// <param name="bytes">How many have arrived; fewer than before: it is another pull.</param>
    public static PullRate Next(PullRate? pace, Moment at, long bytes)
    {
        if (pace is null || bytes < pace.Bytes)
        {
            return new PullRate(at, bytes, null);
        }
        var seconds = (at - pace.At).TotalSeconds;
        if (seconds < MinInterval.TotalSeconds)
        {
            return pace;
        }
        var measured = (bytes - pace.Bytes) / seconds;
        var smoothed = pace.BytesPerSecond is { } before ? before + ((measured - before) * (1 - Math.Exp(-seconds / SmoothingSeconds))) : measured;
        return new PullRate(at, bytes, smoothed);
    }

    /// <summary>Bytes per second; null when it is not known, or nothing has been heard for a while.</summary>
    public double? BytesPerSecondAt(Moment now) => now - At < StalledAfter && BytesPerSecond is > 0 ? BytesPerSecond : null;

    /// <summary>Until all bytes have arrived; unpacking comes on top. Null when nothing sensible can be said.</summary>
    public TimeSpan? TimeLeft(PullProgress progress, Moment now) =>
        BytesPerSecondAt(now) is { } speed && (progress.TotalBytes - progress.DownloadedBytes) / speed is > 0 and var seconds && seconds < MaxEstimate.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
}
