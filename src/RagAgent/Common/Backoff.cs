namespace RagAgent.Common;

/// <summary>Exponential delays with an upper bound. Retries never end.</summary>
/// <param name="First">The delay before the first retry.</param>
/// <param name="Max">No delay is longer than this.</param>
internal sealed record Backoff(TimeSpan First, TimeSpan Max)
{
    private const double Jitter = 0.2;

    /// <summary>The delay before the next try.</summary>
    /// <param name="failures">Failures in a row, at least 1.</param>
    /// <param name="jitter">A random number from 0 to 1. Spreads the delay by ±20 %, so that many machines don't retry at the same moment.</param>
    public TimeSpan After(int failures, double jitter)
    {
        var doublings = Math.Min(Math.Max(failures, 1) - 1, 40);
        var delay = Math.Min(First.TotalMilliseconds * Math.Pow(2, doublings), Max.TotalMilliseconds);
        var jittered = delay * (1 - Jitter + (2 * Jitter * jitter));
        return TimeSpan.FromMilliseconds(Math.Min(jittered, Max.TotalMilliseconds));
    }
}
