using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Who was behind what happened to the app: itself, a person, or the engine on its way out.</summary>
/// <remarks>
/// The end of a container is seen before the engine tells of the stop that caused it, and an engine that is shut down answers
/// until all that it ran has ended. So the first conclusion may be wrong, and is taken back when the news comes.
/// </remarks>
internal static class FailureAttribution
{
    // The engine gives what it runs 15 s by default before it goes, and more to what asked for more.
    private static readonly TimeSpan DoubtPeriod = TimeSpan.FromSeconds(30);

    /// <summary>A strike was counted.</summary>
    public static AgentState RecordStrike(AgentState before, AgentState after) => after.Verdict == before.Verdict
        ? after
        : after with { LastStrike = new Strike(after.Now, before.Verdict, after.Verdict) };

    /// <summary>The container in front ended.</summary>
    /// <param name="state">Before anything was concluded from it.</param>
    /// <param name="seen">As the engine shows it.</param>
    /// <param name="failure">How it ended.</param>
    /// <param name="byHand">Somebody had asked for it.</param>
    public static AgentState RecordEnd(AgentState state, Container seen, Failure failure, bool byHand) =>
        state with { LastEnd = new ContainerEnd(seen, failure, state.LastFailure, byHand) };

    /// <summary>The engine tells that somebody asked it to stop a container.</summary>
    public static AgentState ExternalStopRequested(AgentState state, string id)
    {
        if (state.Front is ContainerState.Probing or ContainerState.Serving && state.Front.Current is { } current && current.Id == id)
        {
            // It may be the late end of a stop of the agent's own.
            return state with { ExternalStop = state.RunOf(current) is { StopRequested: true } ? state.ExternalStop : id, Engine = state.Engine.Refresh() };
        }
        if (state.LastEnd is { IsExternal: false } end && end.Container.Id == id && !state.EngineDisconnected && IsRecent(state, end.Failure.At))
        {
            return HoldByDockerStop(RevertStrike(state) with
            {
                Front = state.Front is ContainerState.BackingOff ? new ContainerState.Absent() : state.Front,
                LastFailure = state.LastFailure == end.Failure ? end.PreviousFailure : state.LastFailure,
                LastEnd = end with { IsExternal = true },
                Engine = state.Engine.Refresh(),
            });
        }
        return state;
    }

    /// <summary>Somebody stopped the app by hand, and knows what they do: it stays so.</summary>
    public static AgentState HoldByDockerStop(AgentState state) => state.Hold is null ? state with { Hold = Hold.DockerStop, HeldAt = state.Now } : state;

    /// <summary>An engine that goes away stops containers too: that is neither a wish of a person's nor the app's fault.</summary>
    public static AgentState EngineDisconnected(AgentState state)
    {
        var gone = RevertStrike(state) with
        {
            EngineDisconnected = true,
            ExternalStop = null,
            Hold = state.Hold == Hold.DockerStop && state.HeldAt is { } since && IsRecent(state, since) ? null : state.Hold,
            LastEnd = null,
        };
        return state.LastEnd is { Container.Exit: { } exit } end && IsRecent(state, end.Failure.At) && state.LastFailure == (end.IsExternal ? end.PreviousFailure : end.Failure)
            ? ReplaceFailure(gone, end.Failure, end.Failure with { Problem = ContainerProblems.EndedWithEngine(end.Container, exit) })
            : gone;
    }

    private static AgentState ReplaceFailure(AgentState state, Failure before, Failure now) => state with
    {
        LastFailure = now,
        Front = state.Front is ContainerState.BackingOff waiting && waiting.Cause == before ? waiting with { Cause = now } : state.Front,
    };

    private static AgentState RevertStrike(AgentState state) =>
        state.LastStrike is { } strike && strike.After == state.Verdict && IsRecent(state, strike.At)
            ? state with { Verdict = strike.Before, LastStrike = null }
            : state with { LastStrike = null };

    private static bool IsRecent(AgentState state, Moment since) => state.Now - since < DoubtPeriod;
}

/// <summary>The last thing that was held against an image.</summary>
/// <param name="At">When.</param>
/// <param name="Before">What was known of it then.</param>
/// <param name="After">What followed.</param>
internal sealed record Strike(Moment At, Verdict? Before, Verdict? After);

/// <summary>The last end of the container in front that the agent had not asked for.</summary>
/// <param name="Container">As the engine showed it.</param>
/// <param name="Failure">What it was taken for.</param>
/// <param name="PreviousFailure">The last failure before it.</param>
/// <param name="IsExternal">It is known that somebody had asked for it.</param>
internal sealed record ContainerEnd(Container Container, Failure Failure, Failure? PreviousFailure, bool IsExternal);
