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

    private int _count;

    /// <summary>How many wait now.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Waits for the app as long as that makes sense.</summary>
    /// <param name="atMost">How long this one can wait; null: as long as any.</param>
    /// <param name="leaving">The visitor has gone, or the agent ends.</param>
    /// <returns>Whether the app serves. False at once when it is not expected, or too many wait already.</returns>
    public async Task<bool> WaitAsync(TimeSpan? atMost, CancellationToken leaving)
    {
        if (Serves(board.State))
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
            return await WaitInsideAsync(atMost is { } own ? clock.Now + own : null, leaving);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    private async Task<bool> WaitInsideAsync(Moment? own, CancellationToken leaving)
    {
        var (revision, state) = board.Read();
        while (!Serves(state))
        {
            if (Comeback.AwaitedUntil(state, policy, patience) is not { } expected || Left(own, expected) is not { } left)
            {
                return false;
            }
            using var over = new CancellationTokenSource(left, clock.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, leaving);
            try
            {
                (revision, state) = await board.WaitAsync(revision, either.Token);
            }
            catch (OperationCanceledException)
            {
                return false;   // the time is over, or nobody is there to wait
            }
        }
        return true;
    }

    private TimeSpan? Left(Moment? own, Moment expected) => (own is { } sooner && sooner < expected ? sooner : expected) - clock.Now is { Ticks: > 0 } left ? left : null;

    private static bool Serves(AgentState state) => state.App is App.Serving { Container.HostPort: not null };
}
