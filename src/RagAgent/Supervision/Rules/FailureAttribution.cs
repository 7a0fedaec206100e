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
    public static AgentState RecordStrike(AgentState before, AgentState after) => after.Images.Verdict == before.Images.Verdict
        ? after
        : after with { Evidence = after.Evidence with { LastStrike = new Strike(after.Now, before.Images.Verdict, after.Images.Verdict) } };

    /// <summary>The container in front ended.</summary>
    /// <param name="state">Before anything was concluded from it.</param>
    /// <param name="seen">As the engine shows it.</param>
    /// <param name="failure">How it ended.</param>
    /// <param name="byHand">Somebody had asked for it.</param>
    public static AgentState RecordEnd(AgentState state, Container seen, Failure failure, bool byHand) =>
        state with { Evidence = state.Evidence with { LastEnd = new ContainerEnd(seen, failure, state.Failures.Last, byHand) } };

    /// <summary>The engine tells that somebody asked it to stop a container.</summary>
    public static AgentState ExternalStopRequested(AgentState state, string id)
    {
        if (state.Front is ContainerState.Probing or ContainerState.Serving && state.Front.Current is { } current && current.Id == id)
        {
            // It may be the late end of a stop of the agent's own.
            return state with { Evidence = state.Evidence with { ExternalStop = state.RunOf(current) is { StopRequested: true } ? state.Evidence.ExternalStop : id }, Engine = state.Engine.Refresh() };
        }
        if (state.Evidence.LastEnd is { IsExternal: false } end && end.Container.Id == id && !state.Evidence.EngineDisconnected && IsRecent(state, end.Failure.At))
        {
            state = RevertStrike(state);
            return HoldByDockerStop(state with
            {
                Front = state.Front is ContainerState.BackingOff ? new ContainerState.Absent() : state.Front,
                Failures = state.Failures with { Last = state.Failures.Last == end.Failure ? end.PreviousFailure : state.Failures.Last },
                Evidence = state.Evidence with { LastEnd = end with { IsExternal = true } },
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
        var reverted = RevertStrike(state);
        var gone = reverted with
        {
            Evidence = reverted.Evidence with
            {
                EngineDisconnected = true,
                ExternalStop = null,
                LastEnd = null,
            },
            Hold = state.Hold == Hold.DockerStop && state.HeldAt is { } since && IsRecent(state, since) ? null : state.Hold,
        };
        return state.Evidence.LastEnd is { Container.Exit: { } exit } end && IsRecent(state, end.Failure.At) && state.Failures.Last == (end.IsExternal ? end.PreviousFailure : end.Failure)
            ? ReplaceFailure(gone, end.Failure, end.Failure with { Problem = ContainerProblems.EndedWithEngine(end.Container, exit) })
            : gone;
    }

    private static AgentState ReplaceFailure(AgentState state, Failure before, Failure now) => state with
    {
        Failures = state.Failures with { Last = now },
        Front = state.Front is ContainerState.BackingOff waiting && waiting.Cause == before ? waiting with { Cause = now } : state.Front,
    };

    private static AgentState RevertStrike(AgentState state) =>
        state.Evidence.LastStrike is { } strike && strike.After == state.Images.Verdict && IsRecent(state, strike.At)
            ? state with { Images = state.Images with { Verdict = strike.Before }, Evidence = state.Evidence with { LastStrike = null } }
            : state with { Evidence = state.Evidence with { LastStrike = null } };

    private static bool IsRecent(AgentState state, Moment since) => state.Now - since < DoubtPeriod;
}
