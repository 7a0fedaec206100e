namespace RagAgent.Containers.AppLogs;

/// <summary>Limits how many lines per second are written. Counts by the lines' own timestamps, so a backlog is not limited.</summary>
internal sealed class LogRateLimiter
{
    // Far above what an interactive app writes, even with a traceback of a few hundred lines. Far below what would push everything
    // else out of a journal of a few hundred MB within an hour.
    private const double LinesPerSecond = 200;
    private const double LineBurst = 2_000;
    private const double BytesPerSecond = 1_000_000;
    private const double ByteBurst = 4_000_000;

    private double _lineTokens = LineBurst;
    private double _byteTokens = ByteBurst;
    private long _lastTimestamp;

    /// <param name="timestamp">The line's timestamp, in nanoseconds since 1970.</param>
    /// <param name="length">In bytes.</param>
    /// <returns>False if the line must be dropped.</returns>
    public bool TryAcquire(long timestamp, int length)
    {
        if (timestamp > _lastTimestamp)
        {
            var seconds = (timestamp - _lastTimestamp) / 1e9;
            _lineTokens = Math.Min(LineBurst, _lineTokens + (seconds * LinesPerSecond));
            _byteTokens = Math.Min(ByteBurst, _byteTokens + (seconds * BytesPerSecond));
            _lastTimestamp = timestamp;
        }
        if (_lineTokens < 1 || _byteTokens < length)
        {
            return false;
        }
        _lineTokens--;
        _byteTokens -= length;
        return true;
    }
}
