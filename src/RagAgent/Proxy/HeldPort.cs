using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RagAgent.Proxy;

/// <summary>A port that is open whether or not somebody listens. Whoever listens gets the visitors that came meanwhile first.</summary>
internal sealed class HeldPort(Socket socket, int port)
{
    private static readonly TimeSpan BeforeAcceptingAgain = TimeSpan.FromMilliseconds(200);

    // One that was accepted and not fetched yet; all others wait in the kernel's queue.
    private readonly Channel<Socket> _visitors = Channel.CreateBounded<Socket>(new BoundedChannelOptions(1) { SingleWriter = true });
    private readonly Lock _lock = new();
    private Thread? _thread;

    public int Port => port;

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <summary>The next visitor.</summary>
    public ValueTask<Socket> AcceptAsync(CancellationToken stopping)
    {
        lock (_lock)
        {
            if (_thread is null)
            {
                // A blocking call in a thread of its own: see ActivationSockets.
                _thread = new Thread(Accept) { IsBackground = true, Name = $"port {port}" };
                _thread.Start();
            }
        }
        return _visitors.Reader.ReadAsync(stopping);
    }

    private void Accept()
    {
        while (true)
        {
            try
            {
                _visitors.Writer.WriteAsync(socket.Accept()).AsTask().GetAwaiter().GetResult();
            }
            catch (SocketException)
            {
                // The visitor has gone again, or there is no descriptor left: a moment later there may be.
                Task.Delay(BeforeAcceptingAgain, TimeProvider.System).GetAwaiter().GetResult();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }
}

/// <summary>Listens at a port that is held, and as ever at any other.</summary>
internal sealed class HeldPortFactory(ActivationSockets activation, IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private readonly SocketTransportFactory _otherwise = new(options, loggers);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        endpoint is IPEndPoint { Port: var port } && activation.Find(port) is { } held
            ? ValueTask.FromResult<IConnectionListener>(new Listener(held, options.Value, loggers))
            : _otherwise.BindAsync(endpoint, cancellationToken);

    private sealed class Listener(HeldPort port, SocketTransportOptions options, ILoggerFactory loggers) : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connections = new(new SocketConnectionFactoryOptions(), loggers.CreateLogger<SocketConnectionContextFactory>());
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => port.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
            try
            {
                var visitor = await port.AcceptAsync(either.Token);
                visitor.NoDelay = options.NoDelay;
                return _connections.Create(visitor);
            }
            catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
            {
                return null;   // as the framework is told that there are no more
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

        public ValueTask DisposeAsync()
        {
            _connections.Dispose();
            _unbound.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
