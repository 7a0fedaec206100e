namespace RagAgent.Proxy.Listening;

/// <summary>One of <see cref="PendingConnections"/>, stored as a feature of its connection.</summary>
internal sealed class PendingConnection(Action onCompleted)
{
    private Action? _onCompleted = onCompleted;

    /// <summary>The first request has arrived, or the connection has closed. Only the first call counts.</summary>
    public void Complete() => Interlocked.Exchange(ref _onCompleted, null)?.Invoke();
}
