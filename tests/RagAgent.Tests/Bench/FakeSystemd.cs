using System.Threading.Channels;
using Microsoft.Extensions.Hosting.Systemd;
using Xunit;

namespace RagAgent.Tests.Bench;

/// <summary>Hears what systemd is told.</summary>
internal sealed class FakeSystemd : ISystemdNotifier
{
    private readonly Channel<string> _told = Channel.CreateUnbounded<string>();
    private int _count;

    public bool IsEnabled => true;

    public int Count => _count;

    public void Notify(ServiceState state)
    {
        Interlocked.Increment(ref _count);
        _told.Writer.TryWrite(state.ToString());
    }

    public ValueTask<string> ToldAsync() => _told.Reader.ReadAsync(TestContext.Current.CancellationToken);
}
