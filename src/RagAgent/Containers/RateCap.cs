namespace RagAgent.Containers;

/// <summary>Says which lines of a flood are written. Measured by the app's own pace: a backlog is not a flood.</summary>
internal sealed class RateCap
{
    // Far above what an app for people writes, a traceback of a few hundred lines with it, and far below what would push
    // everything else out of a journal of a few hundred MB within the hour.
    private const double LinesPerSecond = 200;
    private const double LineBurst = 2_000;
    private const double BytesPerSecond = 1_000_000;
    private const double ByteBurst = 4_000_000;

    private double _lines = LineBurst;
    private double _bytes = ByteBurst;
    private long _last;

    /// <param name="at">The line's time in nanoseconds.</param>
    /// <param name="length">In bytes.</param>
    /// <returns>False: it is left out.</returns>
    public bool Admits(long at, int length)
    {
        if (at > _last)
        {
            var seconds = (at - _last) / 1e9;
            _lines = Math.Min(LineBurst, _lines + (seconds * LinesPerSecond));
            _bytes = Math.Min(ByteBurst, _bytes + (seconds * BytesPerSecond));
            _last = at;
        }
        if (_lines < 1 || _bytes < length)
        {
            return false;
        }
        _lines--;
        _bytes -= length;
        return true;
    }
}
