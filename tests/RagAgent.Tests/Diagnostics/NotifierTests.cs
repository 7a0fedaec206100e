using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Diagnostics.Systemd;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

public sealed class NotifierTests
{
    [Fact]
    public void A_systemd_that_can_not_be_told_is_no_reason_to_end() => new SafeSystemdNotifier(new Unreachable()).Notify(ServiceState.Ready);

    private sealed class Unreachable : ISystemdNotifier
    {
        public bool IsEnabled => true;

        public void Notify(ServiceState state) => throw new SocketException((int)SocketError.TooManyOpenSockets);
    }
}
