using System.Threading.Channels;
using Microsoft.Extensions.Hosting.Systemd;
using Xunit;

namespace RagAgent.Tests.Support;

/// <summary>Records the notifications to systemd.</summary>
internal sealed class FakeSystemdNotifier : ISystemdNotifier
{
    private readonly Channel<string> _notifications = Channel.CreateUnbounded<string>();
    private int _count;

    public bool IsEnabled => true;

    public int Count => _count;

    public void Notify(ServiceState state)
    {
        Interlocked.Increment(ref _count);
        _notifications.Writer.TryWrite(state.ToString());
    }

    public ValueTask<string> NextNotificationAsync() => _notifications.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
