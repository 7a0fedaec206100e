using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>How fast the bytes of a pull arrive, smoothed, because an engine reports them in bursts.</summary>
/// <param name="At">When it was last measured.</param>
/// <param name="Bytes">How many had arrived then.</param>
/// <param name="BytesPerSecond">Null until there are two measurements.</param>
internal sealed record PullRate(Moment At, long Bytes, double? BytesPerSecond)
{
    // Measurements older than this count for little.
    private const double SmoothingSeconds = 8;
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan StalledAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan MaxEstimate = TimeSpan.FromHours(24);

    /// <summary>The rate after another measurement.</summary>
    /// <param name="rate">The rate before; null at the first measurement of a pull.</param>
    /// <param name="at">Now.</param>
    /// <param name="bytes">How many bytes have arrived. Fewer than before means that another pull has begun.</param>
    public static PullRate Next(PullRate? rate, Moment at, long bytes)
    {
        if (rate is null || bytes < rate.Bytes)
        {
            return new PullRate(at, bytes, null);
        }
        var seconds = (at - rate.At).TotalSeconds;
        if (seconds < MinInterval.TotalSeconds)
        {
            return rate;
        }
        var measured = (bytes - rate.Bytes) / seconds;
        var weight = 1 - Math.Exp(-seconds / SmoothingSeconds);
        return new PullRate(at, bytes, rate.BytesPerSecond is { } before ? before + ((measured - before) * weight) : measured);
    }

    /// <summary>Bytes per second; null when unknown, or when the pull has stalled.</summary>
    public double? BytesPerSecondAt(Moment now) => now - At < StalledAfter && BytesPerSecond is > 0 ? BytesPerSecond : null;

    /// <summary>Until all bytes have arrived; unpacking takes longer. Null when it can't be estimated.</summary>
    public TimeSpan? TimeLeft(PullProgress progress, Moment now)
    {
        if (BytesPerSecondAt(now) is not { } bytesPerSecond)
        {
            return null;
        }
        var seconds = (progress.TotalBytes - progress.DownloadedBytes) / bytesPerSecond;
        return seconds > 0 && seconds < MaxEstimate.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
    }
}
