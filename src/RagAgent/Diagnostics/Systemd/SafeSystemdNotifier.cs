using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Notifies systemd and ignores failures: the next notification follows soon.</summary>
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
            // No file descriptor is free, or systemd is re-executing itself. Exiting would disconnect every client.
        }
    }
}
