namespace RagAgent.Common;

/// <summary>The agent's time line, and its place on the wall clock for people.</summary>
internal sealed class AgentClock(TimeProvider time)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);
    private readonly long _start = time.GetTimestamp();
    private long _origin = time.GetUtcNow().UtcTicks;

    public TimeProvider Time => time;

    public Moment Now => new(time.GetElapsedTime(_start));

    /// <summary>The wall clock's reading at a moment, by the wall clock as it is set now; the same each time, until that is set anew.</summary>
    public DateTimeOffset WallTime(Moment at) => new DateTimeOffset(Origin(), TimeSpan.Zero) + at.SinceStart;

    /// <summary>Where the time line begins. Two clocks can't be read at once: what they differ by for that alone is no news.</summary>
    private long Origin()
    {
        var now = (time.GetUtcNow() - Now.SinceStart).UtcTicks;
        var known = Volatile.Read(ref _origin);
        if (Math.Abs(now - known) <= Tolerance.Ticks)
        {
            return known;
        }
        Volatile.Write(ref _origin, now);
        return now;
    }
}
