using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Holds requests during a swap or restart, limited in number and time.</summary>
/// <remarks>
/// A held request's body is not read: an upload waits at the client.
/// A held request is not in flight yet, so no drain waits for it.
/// </remarks>
/// <param name="feed">Shows when the app serves.</param>
/// <param name="policy">When the app counts as crash-looping.</param>
/// <param name="clock">The clock of the state.</param>
/// <param name="maxHold">How long requests wait, counted from the beginning of the swap or restart. Zero: they don't.</param>
internal sealed class HeldRequests(StateFeed feed, Policy policy, AgentClock clock, TimeSpan maxHold)
{
    /// <summary>The maximum number of held requests: a newly started app gets all of them at the same moment.</summary>
    public const int MaxHeld = 256;

    private static readonly TimeSpan CrashReportDelay = TimeSpan.FromSeconds(1);

    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Waits until the app serves.</summary>
    /// <param name="timeout">This request's own limit. Null: only the general one applies.</param>
    /// <param name="aborted">Fires when the client disconnects or the agent stops.</param>
    /// <returns>Whether the app serves. False at once if it isn't expected to soon, or too many requests wait already.</returns>
    public async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken aborted)
    {
        var ownDeadline = timeout is { } span ? clock.Now + span : (Moment?)null;
        return await WaitUntilAsync(IsServing, Deadline, aborted);

        Moment? Deadline(AgentState state)
        {
            var deadline = RecoveryForecast.WaitUntil(state, policy, maxHold);
            return ownDeadline < deadline ? ownDeadline : deadline;
        }
    }

    /// <summary>Waits a moment after the serving container did not answer: if it crashed, the state soon shows that.</summary>
    /// <param name="container">The container that did not answer.</param>
    /// <param name="aborted">Fires when the client disconnects or the agent stops.</param>
    /// <returns>Whether that container has stopped serving, or another one serves.</returns>
    public async Task<bool> WaitForChangeAsync(Container container, CancellationToken aborted)
    {
        Moment? deadline = maxHold > TimeSpan.Zero ? clock.Now + CrashReportDelay : null;
        return await WaitUntilAsync(HasChanged, _ => deadline, aborted);

        bool HasChanged(AgentState state) =>
            state.Front is not ContainerState.Serving { UnreadySince: null, Container: var serving } ||
            (serving.Id, serving.HostPort) != (container.Id, container.HostPort);
    }

    private async Task<bool> WaitUntilAsync(Func<AgentState, bool> isDone, Func<AgentState, Moment?> deadline, CancellationToken aborted)
    {
        var (revision, state) = feed.Read();
        if (isDone(state))
        {
            return true;
        }
        if (Interlocked.Increment(ref _count) > MaxHeld)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }
        try
        {
            while (!isDone(state))
            {
                if (deadline(state) - clock.Now is not { Ticks: > 0 } remaining)
                {
                    return false;
                }
                using var timeLimit = new LinkedTimeout(remaining, clock.Time, aborted);
                (revision, state) = await feed.WaitAsync(revision, timeLimit.Token);
            }
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;   // timed out or aborted
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    private static bool IsServing(AgentState state) =>
        state.Front is ContainerState.Serving { UnreadySince: null, Container.HostPort: not null };
}
