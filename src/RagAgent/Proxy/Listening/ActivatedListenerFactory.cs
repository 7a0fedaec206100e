using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace RagAgent.Proxy.Listening;

/// <summary>Listens at a port that is held, and as ever at any other.</summary>
internal sealed class ActivatedListenerFactory(ActivationSockets activation, IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private readonly SocketTransportFactory _defaultFactory = new(options, loggers);
    private readonly PendingConnections _pendingConnections = new();
    private readonly List<ActivatedListener> _listeners = [];

    /// <summary>The port that was to be opened last: when that failed, the one that could not be.</summary>
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

    /// <summary>Lets nobody in any more at the held ports: who comes now waits for the next listener. Who was let in before can still say what they want; stop the server then.</summary>
    /// <param name="timeout">How long at most: a browser may open a connection ahead, and say nothing.</param>
    /// <param name="time">What it is measured with.</param>
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
        private readonly ChannelReader<(Socket Socket, PendingConnection Newcomer)> _accepted;
        private readonly bool _noDelay;

        public ActivatedListener(ActivatedPort port, PendingConnections pendingConnections, SocketTransportOptions options, ILoggerFactory loggers)
        {
            (EndPoint, _noDelay) = (port.EndPoint, options.NoDelay);
            _connectionFactory = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), loggers.CreateLogger<SocketConnectionContextFactory>());
            _accepted = port.StartAccepting(pendingConnections, _unbound.Token);
        }

        public EndPoint EndPoint { get; }

        /// <summary>Ends when it is unbound and the server has all who came before.</summary>
        public Task AllAccepted => _accepted.Completion;

        /// <returns>Null: there are no more.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await _accepted.WaitToReadAsync(cancellationToken))
            {
                if (_accepted.TryRead(out var client))
                {
                    client.Socket.NoDelay = _noDelay;
                    var connection = _connectionFactory.Create(client.Socket);
                    connection.Features.Set(client.Newcomer);
                    connection.ConnectionClosed.UnsafeRegister(static pending => ((PendingConnection)pending!).Complete(), client.Newcomer);
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
                    unserved.Socket.Dispose();   // of a listener that never began to accept
                    unserved.Newcomer.Complete();
                }
            }
            _connectionFactory.Dispose();
            _unbound.Dispose();
        }
    }
}
