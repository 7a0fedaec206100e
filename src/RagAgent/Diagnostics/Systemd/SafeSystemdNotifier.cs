using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Tells systemd, and lives on when it can't be told: the next sign of life is never far.</summary>
internal sealed class SafeSystemdNotifier(ISystemdNotifier systemd) : ISystemdNotifier
{
    public bool IsEnabled => systemd.IsEnabled;

    public void Notify(ServiceState state)
    {
        try
        {
            systemd.Notify(state);
        }
        catch (SocketException)
        {
            // No descriptor is left, or systemd starts anew. An agent that ended for this would take all its visitors with it.
        }
    }
}
