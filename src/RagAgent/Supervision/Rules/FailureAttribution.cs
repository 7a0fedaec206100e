using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Who caused the end of a container: the app itself, a person, or the engine on its way down.</summary>
/// <remarks>
/// The end of a container is seen before the engine reports the stop request that caused it, and an engine that shuts down still
/// answers until all its containers have ended. So the first conclusion may be wrong, and is revised when more is known.
/// </remarks>
internal static class FailureAttribution
{
    // A stopping engine gives its containers 15 s by default, and longer if they ask for it.
    private static readonly TimeSpan DoubtPeriod = TimeSpan.FromSeconds(30);

    /// <summary>Remembers what a strike changed, so that it can be reverted.</summary>
    public static AgentState RecordStrike(AgentState before, AgentState after) => after.Images.Verdict == before.Images.Verdict
        ? after
        : after with { Evidence = after.Evidence with { LastStrike = new Strike(after.Now, before.Images.Verdict, after.Images.Verdict) } };

    /// <summary>Remembers the end of the container in front.</summary>
    /// <param name="state">The state before any conclusion was drawn from it.</param>
    /// <param name="seen">The container as the engine shows it.</param>
    /// <param name="failure">How it ended.</param>
    /// <param name="isExternal">A person asked the engine to stop it.</param>
    public static AgentState RecordEnd(AgentState state, Container seen, Failure failure, bool isExternal) =>
        state with { Evidence = state.Evidence with { LastEnd = new UnrequestedEnd(seen, failure, state.Failures.Last, isExternal) } };

    /// <summary>The engine reports that someone asked it to stop a container.</summary>
    public static AgentState ExternalStopRequested(AgentState state, string containerId)
    {
        var isUp = state.Front is ContainerState.Probing or ContainerState.Serving;
        if (isUp && state.Front.Current is { } current && current.Id == containerId)
        {
            // It may be the late report of the agent's own stop.
            var isOwnStop = state.RunOf(current) is { StopRequested: true };
            var external = isOwnStop ? state.Evidence.ExternalStop : containerId;
            return (state with { Evidence = state.Evidence with { ExternalStop = external } }).RefreshEngineUnlessFailing();
        }
        if (state.Evidence.LastEnd is { IsExternal: false } end && end.Container.Id == containerId &&
            !state.Evidence.EngineDisconnected && IsRecent(state, end.Failure.At))
        {
            return EndWasExternal(state, end);
        }
        return state;
    }

    /// <summary>A person stopped the container with Docker, and means it: the app stays stopped.</summary>
    public static AgentState HoldByDockerStop(AgentState state) =>
        state.Hold is null ? state with { Hold = StopHold.DockerStop, HeldAt = state.Now } : state;

    /// <summary>The engine went away, which ends containers too: neither a person's wish nor the app's fault.</summary>
    public static AgentState EngineDisconnected(AgentState state)
    {
        var reverted = RevertStrike(state);
        var mayBeByEngine = state.Hold == StopHold.DockerStop && state.HeldAt is { } heldAt && IsRecent(state, heldAt);
        var next = reverted with
        {
            Evidence = reverted.Evidence with
            {
                EngineDisconnected = true,
                ExternalStop = null,
                LastEnd = null,
            },
            Hold = mayBeByEngine ? null : state.Hold,
        };
        if (state.Evidence.LastEnd is not { Container.Exit: { } exit } end || !IsRecent(state, end.Failure.At))
        {
            return next;
        }
        var isStillLast = state.Failures.Last == (end.IsExternal ? end.PreviousFailure : end.Failure);
        return isStillLast
            ? ReplaceFailure(next, end.Failure, end.Failure with { Problem = ContainerProblems.EndedWithEngine(end.Container, exit) })
            : next;
    }

    /// <summary>What was taken for a crash was a stop by a person: no strike, no backoff, no failure.</summary>
    private static AgentState EndWasExternal(AgentState state, UnrequestedEnd end)
    {
        var reverted = RevertStrike(state);
        var last = reverted.Failures.Last == end.Failure ? end.PreviousFailure : reverted.Failures.Last;
        return HoldByDockerStop(reverted with
        {
            Front = reverted.Front is ContainerState.BackingOff ? new ContainerState.Absent() : reverted.Front,
            Failures = reverted.Failures with { Last = last },
            Evidence = reverted.Evidence with { LastEnd = end with { IsExternal = true } },
        }).RefreshEngineUnlessFailing();
    }

    private static AgentState ReplaceFailure(AgentState state, Failure before, Failure after) => state with
    {
        Failures = state.Failures with { Last = after },
        Front = state.Front is ContainerState.BackingOff backingOff && backingOff.Cause == before
            ? backingOff with { Cause = after }
            : state.Front,
    };

    /// <summary>Takes back the last strike if it is recent and nothing else has changed the verdict since.</summary>
    private static AgentState RevertStrike(AgentState state)
    {
        var isRevertible = state.Evidence.LastStrike is { } last && last.After == state.Images.Verdict && IsRecent(state, last.At);
        var reverted = isRevertible ? state.WithVerdict(state.Evidence.LastStrike!.Before) : state;
        return reverted with { Evidence = reverted.Evidence with { LastStrike = null } };
    }

    private static bool IsRecent(AgentState state, Moment since) => state.Now - since < DoubtPeriod;
}
