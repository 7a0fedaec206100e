using System.Net.Sockets;
using System.Text;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A proxy in front of the engine that delays one kind of request.</summary>
internal sealed class DelayingEngineProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;

    public DelayingEngineProxy(string path, string engine, string delayedPath, TimeSpan delay)
    {
        Path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _accepting = AcceptAsync(engine, delayedPath, delay);
    }

    public string Path { get; }

    public Task Reached => _reached.Task;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync(string engine, string delayedPath, TimeSpan delay)
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await server.ConnectAsync(new UnixDomainSocketEndPoint(engine));
                _ = PumpAsync(client, server, delayedPath, delay);
                _ = PumpAsync(server, client, null, delay);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return;   // disposed
        }
    }

    private async Task PumpAsync(Socket from, Socket to, string? delayedPath, TimeSpan delay)
    {
        var buffer = new byte[65536];
        try
        {
            while (await from.ReceiveAsync(buffer) is var length and > 0)
            {
                if (delayedPath is not null &&
                    Encoding.ASCII.GetString(buffer, 0, length).Split('\n')[0].Contains(delayedPath, StringComparison.Ordinal))
                {
                    _reached.TrySetResult();
                    await Task.Delay(delay, TimeProvider.System);
                }
                await to.SendAsync(buffer.AsMemory(0, length));
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
