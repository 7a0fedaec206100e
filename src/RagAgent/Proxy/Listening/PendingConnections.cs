namespace RagAgent.Proxy.Listening;

/// <summary>Those who were let in and have not said yet what they want. A server that ends now would send them away without an answer, so its end waits for them.</summary>
internal sealed class PendingConnections
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _empty;

    /// <summary>One more is let in.</summary>
    public PendingConnection Add()
    {
        lock (_lock)
        {
            _count++;
        }
        return new PendingConnection(Remove);
    }

    /// <summary>Ends when there is none, at once or later. Close the door before.</summary>
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

/// <summary>One of <see cref="PendingConnections"/>: a feature of the connection.</summary>
internal sealed class PendingConnection(Action onCompleted)
{
    private Action? _onCompleted = onCompleted;

    /// <summary>The first request has come, or there will be none. May be told more than once.</summary>
    public void Complete() => Interlocked.Exchange(ref _onCompleted, null)?.Invoke();
}
