using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>A WebSocket in flight to a container.</summary>
/// <param name="container">Where it is forwarded to.</param>
/// <param name="tracker">Knows whose session it is, and when a person last used it.</param>
internal sealed class OpenSession(Container container, SessionTracker tracker)
{
    private volatile ClosableWebSocket? _socket;

    public Container Container => container;

    public SessionTracker Tracker => tracker;

    /// <summary>What closes it; null until its forwarding begins.</summary>
    public ClosableWebSocket? Socket
    {
        get => _socket;
        set => _socket = value;
    }
}
