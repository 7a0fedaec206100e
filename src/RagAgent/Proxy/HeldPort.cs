using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RagAgent.Proxy;

/// <summary>A port that is open whether or not somebody listens. While nobody does, who comes waits in the kernel's queue, for the next listener in this process or another.</summary>
internal sealed class HeldPort(Socket socket, int port)
{
    // How soon it is noticed that nobody listens any more.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    public int Port => port;

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <summary>Accepts visitors until the token fires; then the reader ends, behind those that were accepted before.</summary>
    /// <param name="stopping">Ends it, within a quarter of a second.</param>
    public ChannelReader<Socket> Accept(CancellationToken stopping)
    {
        var visitors = Channel.CreateUnbounded<Socket>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        // Blocking calls in a thread of its own: see ActivationSockets.
        new Thread(() => AcceptUntil(stopping, visitors.Writer)) { IsBackground = true, Name = $"port {port}" }.Start();
        return visitors.Reader;
    }

    private void AcceptUntil(CancellationToken stopping, ChannelWriter<Socket> visitors)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // Looked for first: one that is accepted and then has nobody to serve it would be lost.
                if (socket.Poll(Look, SelectMode.SelectRead) && !stopping.IsCancellationRequested)
                {
                    visitors.TryWrite(socket.Accept());
                }
            }
            catch (SocketException)
            {
                // The visitor has gone again, or there is no descriptor left: a moment later there may be.
                stopping.WaitHandle.WaitOne(Look);
            }
        }
        visitors.Complete();
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

    private sealed class Listener : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connections;
        private readonly CancellationTokenSource _unbound = new();
        private readonly ChannelReader<Socket> _visitors;
        private readonly bool _noDelay;

        public Listener(HeldPort port, SocketTransportOptions options, ILoggerFactory loggers)
        {
            (EndPoint, _noDelay) = (port.EndPoint, options.NoDelay);
            _connections = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), loggers.CreateLogger<SocketConnectionContextFactory>());
            _visitors = port.Accept(_unbound.Token);
        }

        public EndPoint EndPoint { get; }

        /// <returns>Null: there are no more.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await _visitors.WaitToReadAsync(cancellationToken))
            {
                if (_visitors.TryRead(out var visitor))
                {
                    visitor.NoDelay = _noDelay;
                    return _connections.Create(visitor);
                }
            }
            return null;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

        public async ValueTask DisposeAsync()
        {
            await _unbound.CancelAsync();
            while (await _visitors.WaitToReadAsync())
            {
                if (_visitors.TryRead(out var left))
                {
                    left.Dispose();   // of a listener that never began to accept
                }
            }
            _connections.Dispose();
            _unbound.Dispose();
        }
    }
}
