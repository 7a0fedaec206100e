using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics;

/// <summary>Passes what is known about the app's DNS name from the record updater to the status.</summary>
internal sealed class DnsStateHolder(StateFeed feed)
{
    private volatile DnsState _current = new([], [], null);

    public DnsState Current => _current;

    public void Update(DnsState state)
    {
        _current = state;
        feed.Touch();
    }
}
