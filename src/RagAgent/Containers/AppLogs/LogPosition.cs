namespace RagAgent.Containers.AppLogs;

/// <summary>How far a container's log has been written: enough to find exactly the next message again.</summary>
/// <remarks>
/// The engine sends messages since a given time, but timestamps are not in order: the two streams overtake each other, and the
/// pieces of a split line keep the timestamp of the first piece. So the position asks for a time slightly in the past: that of a
/// message that was newer than all before it, and that the engine therefore sends first. From there, it counts the messages it
/// handled. Older engines filter every message by its timestamp, newer ones only until the first match. Counting the messages with
/// an earlier timestamp separately works with both.
/// </remarks>
/// <param name="Since">The time to ask for, in nanoseconds since 1970, like all times here.</param>
/// <param name="FirstTimestamp">The timestamp of the first message expected then. A different one means that the engine deleted it.</param>
/// <param name="HandledSince">How many handled messages have a timestamp of <paramref name="Since"/> or later.</param>
/// <param name="HandledBefore">How many handled messages after the first have an earlier timestamp.</param>
/// <param name="NewestTimestamp">The latest timestamp of all handled messages.</param>
internal readonly record struct LogPosition(long Since, long FirstTimestamp, long HandledSince, long HandledBefore, long NewestTimestamp)
{
    // How far messages may overtake each other. Writing one takes far less.
    private const long ReorderWindow = 1_000_000_000;

    /// <summary>The time to ask for once it is older than <see cref="ReorderWindow"/>.</summary>
    private Checkpoint? NextCheckpoint { get; init; }

    /// <summary>Asks for everything the engine has.</summary>
    public static LogPosition Start => default;

    public bool IsEmpty => HandledSince + HandledBefore == 0;

    /// <summary>Asks only for messages after this time.</summary>
    public static LogPosition After(long time) => new(time + 1, 0, 0, 0, time);

    /// <summary>The position after one more message was handled.</summary>
    /// <param name="timestamp">The message's timestamp.</param>
    /// <param name="canMove">False inside a split line: its start must be read again, or its rest would look like a line.</param>
    public LogPosition Advance(long timestamp, bool canMove)
    {
        var advanced = this with
        {
            FirstTimestamp = IsEmpty ? timestamp : FirstTimestamp,
            HandledSince = HandledSince + (timestamp >= Since ? 1 : 0),
            HandledBefore = HandledBefore + (timestamp < Since ? 1 : 0),
            NewestTimestamp = Math.Max(timestamp, NewestTimestamp),
            NextCheckpoint = NextCheckpoint?.Advance(timestamp),
        };
        return (timestamp > NewestTimestamp, NextCheckpoint) switch
        {
            (true, null) when !IsEmpty && timestamp - FirstTimestamp >= ReorderWindow =>
                advanced with { NextCheckpoint = new Checkpoint(timestamp, 1, 0) },
            (true, { } next) when canMove && timestamp - next.Since >= ReorderWindow =>
                advanced.RebaseTo(advanced.NextCheckpoint!.Value) with { NextCheckpoint = new Checkpoint(timestamp, 1, 0) },
            _ => advanced,
        };
    }

    private LogPosition RebaseTo(Checkpoint next) =>
        new(next.Since, next.Since, next.HandledSince, next.HandledBefore, NewestTimestamp);

    private readonly record struct Checkpoint(long Since, long HandledSince, long HandledBefore)
    {
        public Checkpoint Advance(long timestamp) => timestamp >= Since
            ? this with { HandledSince = HandledSince + 1 }
            : this with { HandledBefore = HandledBefore + 1 };
    }
}
