namespace RagAgent.Proxy;

/// <summary>Those who were let in and have not said yet what they want. A server that ends now would send them away without an answer, so its end waits for them.</summary>
internal sealed class Newcomers
{
    private readonly Lock _lock = new();
    private int _count;
    private TaskCompletionSource? _none;

    /// <summary>One more is let in.</summary>
    public Newcomer Greet()
    {
        lock (_lock)
        {
            _count++;
        }
        return new Newcomer(Settle);
    }

    /// <summary>Ends when there is none, at once or later. Close the door before.</summary>
    public Task NoneAsync()
    {
        lock (_lock)
        {
            if (_count == 0)
            {
                return Task.CompletedTask;
            }
            _none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _none.Task;
        }
    }

    private void Settle()
    {
        lock (_lock)
        {
            if (--_count == 0)
            {
                _none?.TrySetResult();
            }
        }
    }
}

/// <summary>One of <see cref="Newcomers"/>: a feature of the connection.</summary>
internal sealed class Newcomer(Action settled)
{
    private Action? _settled = settled;

    /// <summary>The first request has come, or there will be none. May be told more than once.</summary>
    public void Settle() => Interlocked.Exchange(ref _settled, null)?.Invoke();
}
