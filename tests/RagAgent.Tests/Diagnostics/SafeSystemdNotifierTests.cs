using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Diagnostics.Systemd;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

public sealed class SafeSystemdNotifierTests
{
    [Fact]
    public void A_failed_notification_does_not_throw() => new SafeSystemdNotifier(new ThrowingNotifier()).Notify(ServiceState.Ready);

    private sealed class ThrowingNotifier : ISystemdNotifier
    {
        public bool IsEnabled => true;

        public void Notify(ServiceState state) => throw new SocketException((int)SocketError.TooManyOpenSockets);
    }
}
