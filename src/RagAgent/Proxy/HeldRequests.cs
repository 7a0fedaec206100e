using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Requests that wait while one container takes the place of another, bounded in number and time.</summary>
/// <remarks>Nothing of a request is read meanwhile: an upload waits at its sender. One that waits is no visit yet, so that no drain waits for it.</remarks>
/// <param name="board">Where it is seen that the app serves.</param>
/// <param name="policy">The agent's numbers.</param>
/// <param name="clock">The state's own.</param>
/// <param name="patience">For how long of a change; zero: nobody waits.</param>
internal sealed class HeldRequests(StateBoard board, Policy policy, AgentClock clock, TimeSpan patience)
{
    /// <summary>So many at once: a fresh app meets them all in the same moment.</summary>
    public const int Most = 256;

    private static readonly TimeSpan UntilCrashesAreKnown = TimeSpan.FromSeconds(1);

    private int _count;

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Waits for the app as long as that makes sense.</summary>
    /// <param name="atMost">How long this one can wait; null: as long as any.</param>
    /// <param name="leaving">The visitor has gone, or the agent ends.</param>
    /// <returns>Whether the app serves. False at once when it is not expected, or too many wait already.</returns>
    public async Task<bool> WaitAsync(TimeSpan? atMost, CancellationToken leaving)
    {
        var own = atMost is { } span ? clock.Now + span : (Moment?)null;
        return await UntilAsync(Serves, state => Comeback.AwaitedUntil(state, policy, patience) is not { } expected ? null : own < expected ? own : expected, leaving);
    }

    /// <summary>A container that should serve did not answer. When it has crashed, that is heard of a moment later: waits for that moment.</summary>
    /// <param name="container">The one that was asked.</param>
    /// <param name="leaving">As above.</param>
    /// <returns>Whether it does not serve any more, or another one does.</returns>
    public async Task<bool> WaitForNewsAsync(Container container, CancellationToken leaving)
    {
        Moment? until = patience > TimeSpan.Zero ? clock.Now + UntilCrashesAreKnown : null;
        return await UntilAsync(state => state.App is not App.Serving { Container: var serving } || (serving.Id, serving.HostPort) != (container.Id, container.HostPort), _ => until, leaving);
    }

    private async Task<bool> UntilAsync(Func<AgentState, bool> isOver, Func<AgentState, Moment?> until, CancellationToken leaving)
    {
        var (revision, state) = board.Read();
        if (isOver(state))
        {
            return true;
        }
        if (Interlocked.Increment(ref _count) > Most)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }
        try
        {
            while (!isOver(state))
            {
                if (until(state) - clock.Now is not { Ticks: > 0 } left)
                {
                    return false;
                }
                using var late = new CancellationTokenSource(left, clock.Time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, leaving);
                (revision, state) = await board.WaitAsync(revision, either.Token);
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

    private static bool Serves(AgentState state) => state.App is App.Serving { Container.HostPort: not null };
}
