namespace RagAgent.Common;

/// <summary>The agent's monotonic clock, and how it maps to the wall clock.</summary>
internal sealed class AgentClock(TimeProvider time)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(100);
    private readonly long _start = time.GetTimestamp();
    private long _origin = time.GetUtcNow().UtcTicks;

    public TimeProvider Time => time;

    public Moment Now => new(time.GetElapsedTime(_start));

    /// <summary>A moment as wall-clock time. Returns the same for the same moment until someone sets the wall clock.</summary>
    public DateTimeOffset WallTime(Moment at) => new DateTimeOffset(Origin(), TimeSpan.Zero) + at.SinceStart;

    /// <summary>The wall-clock time of <see cref="Moment.Zero"/>. The two clocks can't be read at once, so tiny differences are ignored.</summary>
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
