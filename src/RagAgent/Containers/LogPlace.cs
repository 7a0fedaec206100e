namespace RagAgent.Containers;

/// <summary>Up to where a container's log has been written: enough to find the very next message again.</summary>
/// <remarks>
/// The engine can be asked for messages since a time, and their times are not in order: two streams overtake each other, and the
/// pieces of a split line keep the time of its first. So the place is a message of a moment ago that was newer than all before it (the
/// anchor: the first that the engine sends when asked for messages since its time) and how many were counted from there on. Older
/// engines filter each message by its time, newer ones only until the anchor is found; with those before its time counted apart, both are served.
/// </remarks>
/// <param name="Anchor">The anchor's time; with nothing counted yet, the time to ask for.</param>
/// <param name="AtOrAfter">How many messages of its time or later were handled, itself among them.</param>
/// <param name="Before">How many that came after it with an earlier time.</param>
/// <param name="Newest">The latest time of all.</param>
internal readonly record struct LogPlace(long Anchor, long AtOrAfter, long Before, long Newest)
{
    // How far messages may overtake each other: far more than it takes to write one.
    private const long Slack = 1_000_000_000;

    /// <summary>What becomes the anchor when it is old enough.</summary>
    private Counted? Next { get; init; }

    /// <summary>Everything the engine has.</summary>
    public static LogPlace Beginning => default;

    /// <summary>Only what comes after this time.</summary>
    public static LogPlace After(long time) => new(time, 0, 0, time);

    /// <summary>Where it stands once a message has been handled.</summary>
    /// <param name="at">Its time.</param>
    /// <param name="mayMove">False inside of a split line: its beginning must be met again, or its rest would pass for a line.</param>
    public LogPlace Count(long at, bool mayMove)
    {
        if (AtOrAfter == 0)
        {
            return new LogPlace(at, 1, 0, Math.Max(at, Newest));
        }
        var counted = this with
        {
            AtOrAfter = AtOrAfter + (at >= Anchor ? 1 : 0),
            Before = Before + (at < Anchor ? 1 : 0),
            Newest = Math.Max(at, Newest),
            Next = Next?.Count(at),
        };
        return (at > Newest, Next) switch
        {
            (true, null) when at - Anchor >= Slack => counted with { Next = new Counted(at, 1, 0) },
            (true, { } next) when mayMove && at - next.Anchor >= Slack => counted.MoveTo(counted.Next!.Value) with { Next = new Counted(at, 1, 0) },
            _ => counted,
        };
    }

    private LogPlace MoveTo(Counted next) => new(next.Anchor, next.AtOrAfter, next.Before, Newest);

    private readonly record struct Counted(long Anchor, long AtOrAfter, long Before)
    {
        public Counted Count(long at) => at >= Anchor ? this with { AtOrAfter = AtOrAfter + 1 } : this with { Before = Before + 1 };
    }
}

/// <summary>Tells the messages that were handled before from new ones when a log is opened again.</summary>
internal sealed class LogResumption(LogPlace place)
{
    private bool _begun;
    private long _atOrAfter = place.AtOrAfter;
    private long _before = place.Before;

    /// <summary>The engine no longer has the anchor: which messages were handled is told by their time alone, and some may be lost.</summary>
    public bool IsLost { get; private set; }

    /// <returns>True for a message that was handled before.</returns>
    public bool WasHandled(long at)
    {
        if (!_begun)
        {
            _begun = true;
            IsLost = at != place.Anchor;
        }
        if (IsLost)
        {
            return at <= place.Newest;
        }
        ref var left = ref at >= place.Anchor ? ref _atOrAfter : ref _before;
        return left > 0 && left-- > 0;
    }
}
