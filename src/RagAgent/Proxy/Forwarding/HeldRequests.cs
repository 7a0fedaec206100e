using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Requests that wait while one container takes the place of another, bounded in number and time.</summary>
/// <remarks>Nothing of a request is read meanwhile: an upload waits at its sender. One that waits is no visit yet, so that no drain waits for it.</remarks>
/// <param name="feed">Where it is seen that the app serves.</param>
/// <param name="policy">The agent's numbers.</param>
/// <param name="clock">The state's own.</param>
/// <param name="maxHold">For how long of a change; zero: nobody waits.</param>
internal sealed class HeldRequests(StateFeed feed, Policy policy, AgentClock clock, TimeSpan maxHold)
{
    /// <summary>So many at once: a fresh app meets them all in the same moment.</summary>
    public const int MaxHeld = 256;

    private static readonly TimeSpan CrashReportDelay = TimeSpan.FromSeconds(1);

    private int _count;

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Waits for the app as long as that makes sense.</summary>
    /// <param name="timeout">How long this one can wait; null: as long as any.</param>
    /// <param name="aborted">The visitor has gone, or the agent ends.</param>
    /// <returns>Whether the app serves. False at once when it is not expected, or too many wait already.</returns>
    public async Task<bool> WaitAsync(TimeSpan? timeout, CancellationToken aborted)
    {
        var ownDeadline = timeout is { } span ? clock.Now + span : (Moment?)null;
        return await WaitUntilAsync(IsServing, state => RecoveryForecast.WaitUntil(state, policy, maxHold) is not { } expected ? null : ownDeadline < expected ? ownDeadline : expected, aborted);
    }

    /// <summary>A container that should serve did not answer. When it has crashed, that is heard of a moment later: waits for that moment.</summary>
    /// <param name="container">The one that was asked.</param>
    /// <param name="aborted">As above.</param>
    /// <returns>Whether it does not serve any more, or another one does.</returns>
    public async Task<bool> WaitForChangeAsync(Container container, CancellationToken aborted)
    {
        Moment? deadline = maxHold > TimeSpan.Zero ? clock.Now + CrashReportDelay : null;
        return await WaitUntilAsync(state => state.Front is not ContainerState.Serving { Container: var serving } || (serving.Id, serving.HostPort) != (container.Id, container.HostPort), _ => deadline, aborted);
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
                using var timeLimit = new CancellationTokenSource(remaining, clock.Time);
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeLimit.Token, aborted);
                (revision, state) = await feed.WaitAsync(revision, linked.Token);
            }
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;   // the time is over, or nobody is there to wait
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    private static bool IsServing(AgentState state) => state.Front is ContainerState.Serving { Container.HostPort: not null };
}
