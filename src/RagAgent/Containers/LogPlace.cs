namespace RagAgent.Containers;

/// <summary>Up to where a container's log has been written: enough to find the very next message again.</summary>
/// <remarks>
/// The engine can be asked for messages since a time, and their times are not in order: two streams overtake each other, and the
/// pieces of a split line keep the time of its first. So the time asked for is one of a moment ago, of a message that was newer than all
/// before it and that the engine therefore sends first; and what was handled from there on is counted. Older engines filter each message by its
/// time, newer ones only until the first is found: with those before the time counted apart, both are served.
/// </remarks>
/// <param name="Since">The time to ask for.</param>
/// <param name="First">The time of the message that comes first then; another one means that the engine has thrown it away.</param>
/// <param name="AtOrAfter">How many messages of the time asked for or later were handled.</param>
/// <param name="Before">How many with an earlier time came after the first.</param>
/// <param name="Newest">The latest time of all that were handled.</param>
internal readonly record struct LogPlace(long Since, long First, long AtOrAfter, long Before, long Newest)
{
    // How far messages may overtake each other: far more than it takes to write one.
    private const long Slack = 1_000_000_000;

    /// <summary>What is asked for from when it is old enough on.</summary>
    private Counted? Next { get; init; }

    /// <summary>Everything the engine has.</summary>
    public static LogPlace Beginning => default;

    public bool IsUntouched => AtOrAfter + Before == 0;

    /// <summary>Only what is later than this time.</summary>
    public static LogPlace After(long time) => new(time + 1, 0, 0, 0, time);

    /// <summary>Where it stands once a message has been handled.</summary>
    /// <param name="at">Its time.</param>
    /// <param name="mayMove">False inside of a split line: its beginning must be met again, or its rest would pass for a line.</param>
    public LogPlace Count(long at, bool mayMove)
    {
        var counted = this with
        {
            First = IsUntouched ? at : First,
            AtOrAfter = AtOrAfter + (at >= Since ? 1 : 0),
            Before = Before + (at < Since ? 1 : 0),
            Newest = Math.Max(at, Newest),
            Next = Next?.Count(at),
        };
        return (at > Newest, Next) switch
        {
            (true, null) when !IsUntouched && at - First >= Slack => counted with { Next = new Counted(at, 1, 0) },
            (true, { } next) when mayMove && at - next.Since >= Slack => counted.MoveTo(counted.Next!.Value) with { Next = new Counted(at, 1, 0) },
            _ => counted,
        };
    }

    private LogPlace MoveTo(Counted next) => new(next.Since, next.Since, next.AtOrAfter, next.Before, Newest);

    private readonly record struct Counted(long Since, long AtOrAfter, long Before)
    {
        public Counted Count(long at) => at >= Since ? this with { AtOrAfter = AtOrAfter + 1 } : this with { Before = Before + 1 };
    }
}

/// <summary>Tells the messages that were handled before from new ones when a log is opened again.</summary>
internal sealed class LogResumption(LogPlace place)
{
    private bool _begun;
    private bool _newSeen;
    private long _atOrAfter = place.AtOrAfter;
    private long _before = place.Before;

    /// <summary>The engine has thrown away what was handled last: what is new is told by its time alone, and some of it may be lost.</summary>
    public bool IsLost { get; private set; }

    /// <returns>True for a message that was handled before.</returns>
    public bool WasHandled(long at)
    {
        if (!_begun)
        {
            _begun = true;
            IsLost = !place.IsUntouched && at != place.First;
        }
        if (IsLost)
        {
            _newSeen |= at > place.Newest;
            return !_newSeen;
        }
        ref var left = ref at >= place.Since ? ref _atOrAfter : ref _before;
        return left > 0 && left-- > 0;
    }
}
