using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace RagAgent.Proxy.Listening;

/// <summary>Makes Kestrel accept from a port that systemd activated. Any other port is bound the usual way.</summary>
internal sealed class ActivatedListenerFactory(
    ActivationSockets activation,
    IOptions<SocketTransportOptions> options,
    ILoggerFactory loggers) : IConnectionListenerFactory
{
    private readonly SocketTransportFactory _defaultFactory = new(options, loggers);
    private readonly PendingConnections _pendingConnections = new();
    private readonly List<ActivatedListener> _listeners = [];

    /// <summary>The last port that was bound or failed to bind.</summary>
    public int? LastAttemptedPort { get; private set; }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        LastAttemptedPort = (endpoint as IPEndPoint)?.Port;
        if (endpoint is not IPEndPoint { Port: var port } || activation.Find(port) is not { } activatedPort)
        {
            return _defaultFactory.BindAsync(endpoint, cancellationToken);
        }
        var listener = new ActivatedListener(activatedPort, _pendingConnections, options.Value, loggers);
        _listeners.Add(listener);
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    /// <summary>
    /// Stops accepting on the activated ports: new connections wait in the kernel for the next listener.
    /// Then waits until every accepted connection has sent its first request. Stop the server afterwards.
    /// </summary>
    /// <param name="timeout">The longest wait: a browser may open a connection in advance and send nothing.</param>
    /// <param name="time">Measures the wait.</param>
    public async Task StopAcceptingAsync(TimeSpan timeout, TimeProvider time)
    {
        foreach (var listener in _listeners)
        {
            await listener.UnbindAsync();
        }
        await Task.WhenAny(WaitForPendingAsync(), Task.Delay(timeout, time));
    }

    private async Task WaitForPendingAsync()
    {
        await Task.WhenAll(_listeners.Select(listener => listener.AllAccepted));
        await _pendingConnections.WaitUntilEmptyAsync();
    }

    private sealed class ActivatedListener : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connectionFactory;
        private readonly CancellationTokenSource _unbound = new();
        private readonly ChannelReader<(Socket Socket, PendingConnection Pending)> _accepted;
        private readonly bool _noDelay;

        public ActivatedListener(
            ActivatedPortAcceptor port, PendingConnections pendingConnections, SocketTransportOptions options, ILoggerFactory loggers)
        {
            (EndPoint, _noDelay) = (port.EndPoint, options.NoDelay);
            var logger = loggers.CreateLogger<SocketConnectionContextFactory>();
            _connectionFactory = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), logger);
            _accepted = port.StartAccepting(pendingConnections, _unbound.Token);
        }

        public EndPoint EndPoint { get; }

        /// <summary>Completes once this is unbound and the server has taken every accepted connection.</summary>
        public Task AllAccepted => _accepted.Completion;

        /// <returns>Null once this is unbound and every accepted connection was returned.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await _accepted.WaitToReadAsync(cancellationToken))
            {
                if (_accepted.TryRead(out var client))
                {
                    client.Socket.NoDelay = _noDelay;
                    var connection = _connectionFactory.Create(client.Socket);
                    connection.Features.Set(client.Pending);
                    connection.ConnectionClosed.UnsafeRegister(static pending => ((PendingConnection)pending!).Complete(), client.Pending);
                    return connection;
                }
            }
            return null;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

        public async ValueTask DisposeAsync()
        {
            await _unbound.CancelAsync();
            while (await _accepted.WaitToReadAsync())
            {
                if (_accepted.TryRead(out var unserved))
                {
                    // Happens when the server failed to start and never called AcceptAsync.
                    unserved.Socket.Dispose();
                    unserved.Pending.Complete();
                }
            }
            _connectionFactory.Dispose();
            _unbound.Dispose();
        }
    }
}
