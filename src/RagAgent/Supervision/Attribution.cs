namespace RagAgent.Supervision;

/// <summary>Who was behind what happened to the app: itself, a person, or the engine on its way out.</summary>
/// <remarks>
/// The end of a container is seen before the engine tells of the stop that caused it, and an engine that is shut down answers
/// until all that it ran has ended. So the first conclusion may be wrong, and is taken back when the news comes.
/// </remarks>
internal static class Attribution
{
    // The engine gives what it runs 15 s by default before it goes, and more to what asked for more.
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(30);

    /// <summary>A strike was counted.</summary>
    public static AgentState Counted(AgentState before, AgentState after) => after.Verdict == before.Verdict
        ? after
        : after with { LastStrike = new Strike(after.Now, before.Verdict, after.Verdict) };

    /// <summary>The container in front ended.</summary>
    /// <param name="s">Before anything was concluded from it.</param>
    /// <param name="seen">As the engine shows it.</param>
    /// <param name="failure">How it ended.</param>
    /// <param name="byHand">Somebody had asked for it.</param>
    public static AgentState Ended(AgentState s, Container seen, Failure failure, bool byHand) =>
        s with { LastEnd = new End(seen, failure, s.LastFailure, byHand) };

    /// <summary>The engine tells that somebody asked it to stop a container.</summary>
    public static AgentState StopCalled(AgentState s, string id)
    {
        if (s.App is App.Probing or App.Serving && s.App.Current is { } current && current.Id == id)
        {
            // It may be the late end of a stop of the agent's own.
            return s with { StopCalled = s.RunOf(current) is { StopAsked: true } ? s.StopCalled : id, Engine = s.Engine.Refresh() };
        }
        if (s.LastEnd is { IsByHand: false } end && end.Container.Id == id && !s.EngineBroke && IsInDoubt(s, end.Failure.At))
        {
            return Held(TakeBack(s) with
            {
                App = s.App is App.BackingOff ? new App.Absent() : s.App,
                LastFailure = s.LastFailure == end.Failure ? end.FailureBefore : s.LastFailure,
                LastEnd = end with { IsByHand = true },
                Engine = s.Engine.Refresh(),
            });
        }
        return s;
    }

    /// <summary>Somebody stopped the app by hand, and knows what they do: it stays so.</summary>
    public static AgentState Held(AgentState s) => s.Hold is null ? s with { Hold = Hold.Hand, HeldAt = s.Now } : s;

    /// <summary>An engine that goes away stops containers too: that is neither a wish of a person's nor the app's fault.</summary>
    public static AgentState EngineWentAway(AgentState s)
    {
        var gone = TakeBack(s) with
        {
            EngineBroke = true,
            StopCalled = null,
            Hold = s.Hold == Hold.Hand && s.HeldAt is { } since && IsInDoubt(s, since) ? null : s.Hold,
            LastEnd = null,
        };
        return s.LastEnd is { Container.Exit: { } exit } end && IsInDoubt(s, end.Failure.At) && s.LastFailure == (end.IsByHand ? end.FailureBefore : end.Failure)
            ? Failed(gone, end.Failure, end.Failure with { Problem = Failures.EndedWithEngine(end.Container, exit) })
            : gone;
    }

    private static AgentState Failed(AgentState s, Failure before, Failure now) => s with
    {
        LastFailure = now,
        App = s.App is App.BackingOff waiting && waiting.Why == before ? waiting with { Why = now } : s.App,
    };

    private static AgentState TakeBack(AgentState s) =>
        s.LastStrike is { } strike && strike.After == s.Verdict && IsInDoubt(s, strike.At)
            ? s with { Verdict = strike.Before, LastStrike = null }
            : s with { LastStrike = null };

    private static bool IsInDoubt(AgentState s, Moment since) => s.Now - since < Doubt;
}

/// <summary>The last thing that was held against an image.</summary>
/// <param name="At">When.</param>
/// <param name="Before">What was known of it then.</param>
/// <param name="After">What followed.</param>
internal sealed record Strike(Moment At, Verdict? Before, Verdict? After);

/// <summary>The last end of the container in front that the agent had not asked for.</summary>
/// <param name="Container">As the engine showed it.</param>
/// <param name="Failure">What it was taken for.</param>
/// <param name="FailureBefore">The last failure before it.</param>
/// <param name="IsByHand">It is known that somebody had asked for it.</param>
internal sealed record End(Container Container, Failure Failure, Failure? FailureBefore, bool IsByHand);
