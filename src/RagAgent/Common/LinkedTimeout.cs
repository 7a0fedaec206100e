namespace RagAgent.Common;

/// <summary>A cancellation token that is canceled after a time, or with the caller's token.</summary>
/// <remarks>After a cancellation, the caller's token tells which of the two it was.</remarks>
internal sealed class LinkedTimeout : IDisposable
{
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _linked;

    /// <param name="after">Counts from now; <see cref="Timeout.InfiniteTimeSpan"/>: only <see cref="ExpireAsync"/> ends it.</param>
    /// <param name="time">Measures the time.</param>
    /// <param name="stopping">The caller's token.</param>
    public LinkedTimeout(TimeSpan after, TimeProvider time, CancellationToken stopping)
    {
        _timer = new CancellationTokenSource(after, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, _timer.Token);
    }

    /// <summary>For the call that must end in time.</summary>
    public CancellationToken Token => _linked.Token;

    public bool HasExpired => _timer.IsCancellationRequested;

    /// <summary>Starts the time again.</summary>
    public void Restart(TimeSpan after) => _timer.CancelAfter(after);

    /// <summary>Acts as if the time were over.</summary>
    public Task ExpireAsync() => _timer.CancelAsync();

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
