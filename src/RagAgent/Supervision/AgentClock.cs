namespace RagAgent.Supervision;

/// <summary>The agent's time line, and its place on the wall clock for people.</summary>
internal sealed class AgentClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeProvider Time => time;

    public Moment Now => new(time.GetElapsedTime(_start));

    /// <summary>The wall clock's reading at a moment, by the wall clock as it is set now.</summary>
    public DateTimeOffset WallTime(Moment at) => time.GetUtcNow() - (Now - at);
}
