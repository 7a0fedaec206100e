namespace RagAgent.Proxy.Listening;

/// <summary>
/// Counts accepted connections that have not sent their first request yet.
/// A server that stops now would close them without an answer, so it waits for them.
/// </summary>
internal sealed class PendingConnections
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _empty;

    public PendingConnection Add()
    {
        lock (_lock)
        {
            _count++;
        }
        return new PendingConnection(Remove);
    }

    /// <summary>Completes once none is pending, possibly at once. Stop accepting first.</summary>
    public Task WaitUntilEmptyAsync()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                return Task.CompletedTask;
            }
            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }

    private void Remove()
    {
        lock (_lock)
        {
            if (--_count == 0)
            {
                _empty?.TrySetResult();
            }
        }
    }
}
