using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Counts as in flight until it is disposed.</summary>
/// <param name="inFlight">Where it counts.</param>
/// <param name="container">Where it is forwarded to.</param>
/// <param name="session">Null for a plain request.</param>
internal sealed class InFlightRequest(InFlightRequests inFlight, Container container, OpenSession? session) : IDisposable
{
    private int _ended;

    public Container Container => container;

    public OpenSession? Session => session;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            inFlight.End(this);
        }
    }
}
