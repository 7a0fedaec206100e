namespace RagAgent.Containers.AppLogs;

/// <summary>Up to where a container's log has been written: enough to find the very next message again.</summary>
/// <remarks>
/// The engine can be asked for messages since a time, and their times are not in order: two streams overtake each other, and the
/// pieces of a split line keep the time of its first. So the time asked for is one of a moment ago, of a message that was newer than all
/// before it and that the engine therefore sends first; and what was handled from there on is counted. Older engines filter each message by its
/// time, newer ones only until the first is found: with those before the time counted apart, both are served.
/// </remarks>
/// <param name="Since">The time to ask for.</param>
/// <param name="FirstTimestamp">The time of the message that comes first then; another one means that the engine has thrown it away.</param>
/// <param name="HandledSince">How many messages of the time asked for or later were handled.</param>
/// <param name="HandledBefore">How many with an earlier time came after the first.</param>
/// <param name="NewestTimestamp">The latest time of all that were handled.</param>
internal readonly record struct LogPosition(long Since, long FirstTimestamp, long HandledSince, long HandledBefore, long NewestTimestamp)
{
    // How far messages may overtake each other: far more than it takes to write one.
    private const long ReorderWindow = 1_000_000_000;

    /// <summary>What is asked for from when it is old enough on.</summary>
    private Checkpoint? NextCheckpoint { get; init; }

    /// <summary>Everything the engine has.</summary>
    public static LogPosition Start => default;

    public bool IsEmpty => HandledSince + HandledBefore == 0;

    /// <summary>Only what is later than this time.</summary>
    public static LogPosition After(long time) => new(time + 1, 0, 0, 0, time);

    /// <summary>Where it stands once a message has been handled.</summary>
    /// <param name="timestamp">Its time.</param>
    /// <param name="canMove">False inside of a split line: its beginning must be met again, or its rest would pass for a line.</param>
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
            (true, null) when !IsEmpty && timestamp - FirstTimestamp >= ReorderWindow => advanced with { NextCheckpoint = new Checkpoint(timestamp, 1, 0) },
            (true, { } next) when canMove && timestamp - next.Since >= ReorderWindow => advanced.RebaseTo(advanced.NextCheckpoint!.Value) with { NextCheckpoint = new Checkpoint(timestamp, 1, 0) },
            _ => advanced,
        };
    }

    private LogPosition RebaseTo(Checkpoint next) => new(next.Since, next.Since, next.HandledSince, next.HandledBefore, NewestTimestamp);

    private readonly record struct Checkpoint(long Since, long HandledSince, long HandledBefore)
    {
        public Checkpoint Advance(long timestamp) => timestamp >= Since ? this with { HandledSince = HandledSince + 1 } : this with { HandledBefore = HandledBefore + 1 };
    }
}

/// <summary>Tells the messages that were handled before from new ones when a log is opened again.</summary>
internal sealed class LogReplayFilter(LogPosition position)
{
    private bool _started;
    private bool _sawNew;
    private long _remainingSince = position.HandledSince;
    private long _remainingBefore = position.HandledBefore;

    /// <summary>The engine has thrown away what was handled last: what is new is told by its time alone, and some of it may be lost.</summary>
    public bool HasGap { get; private set; }

    /// <returns>True for a message that was handled before.</returns>
    public bool IsReplay(long timestamp)
    {
        if (!_started)
        {
            _started = true;
            HasGap = !position.IsEmpty && timestamp != position.FirstTimestamp;
        }
        if (HasGap)
        {
            _sawNew |= timestamp > position.NewestTimestamp;
            return !_sawNew;
        }
        ref var remaining = ref timestamp >= position.Since ? ref _remainingSince : ref _remainingBefore;
        return remaining > 0 && remaining-- > 0;
    }
}
