using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RagAgent.IntegrationTests.Support;

/// <summary>An HTTP proxy that connects every CONNECT, whatever its host, to one port on loopback. Nothing leaves the machine.</summary>
internal sealed class ConnectProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<string> _requestedHosts = new();
    private readonly int _port;
    private readonly Task _accepting;

    public ConnectProxy(int port)
    {
        _port = port;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    public IReadOnlyCollection<string> RequestedHosts => _requestedHosts;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(TunnelAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task TunnelAsync(TcpClient client)
    {
        try
        {
            using var near = client.GetStream();
            _requestedHosts.Enqueue(await ReadHostAsync(near));
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, _port, _stopping.Token);
            using var far = server.GetStream();
            await near.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _stopping.Token);
            await Task.WhenAny(near.CopyToAsync(far, _stopping.Token), far.CopyToAsync(near, _stopping.Token));
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
            // One side has disconnected. Disposing the streams ends the other.
            client.Close();
        }
    }

    private async Task<string> ReadHostAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stopping.Token) > 0)
        {
            head.Append((char)one[0]);
        }

        return head.ToString().Split(' ') is ["CONNECT", var host, ..] ? host : throw new IOException($"Not a CONNECT request: {head}");
    }
}
