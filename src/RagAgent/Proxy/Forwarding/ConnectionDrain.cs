using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Empties a container that another one replaces: waits for its requests, and moves its Streamlit sessions.</summary>
/// <remarks>
/// Moving a session closes it; its page connects again, to the container that serves then. The page of a session that isn't in use also
/// runs the script, so it shows the new version. What the visitor of a session in use reads stays on the screen.
/// See docs/decisions/0025-sessions-move.md.
/// </remarks>
internal sealed class ConnectionDrain(InFlightRequests inFlight, Policy policy, AgentClock clock) : IConnectionDrain
{
    // Each move runs the script, so that many at once would slow down whoever works.
    private const int MaxMoves = 20;

    private static readonly TimeSpan MoveInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    /// <remarks>New requests keep coming while the published state says that the container serves. Publish another one first.</remarks>
    public async Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping)
    {
        var end = clock.Now + atMost;
        int left;
        do
        {
            await MoveAsync(Sessions(container).Where(session => !IsInUse(session)).Take(MaxMoves), stopping);
            var remaining = end > clock.Now ? end - clock.Now : TimeSpan.Zero;
            left = await inFlight.DrainAsync(container, remaining < MoveInterval ? remaining : MoveInterval, stopping);
        }
        while (left > 0 && clock.Now < end);
        await MoveAsync(Sessions(container), stopping);
        return left;
    }

    /// <inheritdoc/>
    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        inFlight.FinishAsync(container, atMost, stopping);

    /// <inheritdoc/>
    public Task MoveSessionsAsync(Container container, CancellationToken stopping) => MoveAsync(Sessions(container), stopping);

    private IEnumerable<OpenSession> Sessions(Container container) =>
        inFlight.Sessions.Where(session => session.Container.Id == container.Id && !session.Tracker.IsOpaque);

    private Task MoveAsync(IEnumerable<OpenSession> sessions, CancellationToken stopping) =>
        Task.WhenAll(sessions.Select(session => session.Socket?.MoveAsync(runsScript: !IsInUse(session)) ?? Task.CompletedTask))
            .WaitAsync(stopping);

    private bool IsInUse(OpenSession session) =>
        session.Tracker.IsOpaque || clock.Now - session.Tracker.LastActivity < policy.IdleAfter;
}
