using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RagAgent.Proxy;

/// <summary>Listens at a port that is held, and as ever at any other.</summary>
internal sealed class HeldPortFactory(ActivationSockets activation, IOptions<SocketTransportOptions> options, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private readonly SocketTransportFactory _otherwise = new(options, loggers);
    private readonly Newcomers _newcomers = new();
    private readonly List<Listener> _listeners = [];

    /// <summary>The port that was to be opened last: when that failed, the one that could not be.</summary>
    public int? Tried { get; private set; }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Tried = (endpoint as IPEndPoint)?.Port;
        if (endpoint is not IPEndPoint { Port: var port } || activation.Find(port) is not { } held)
        {
            return _otherwise.BindAsync(endpoint, cancellationToken);
        }
        var listener = new Listener(held, _newcomers, options.Value, loggers);
        _listeners.Add(listener);
        return ValueTask.FromResult<IConnectionListener>(listener);
    }

    /// <summary>Lets nobody in any more at the held ports: who comes now waits for the next listener. Who was let in before can still say what they want; stop the server then.</summary>
    /// <param name="patience">How long at most: a browser may open a connection ahead, and say nothing.</param>
    /// <param name="time">What it is measured with.</param>
    public async Task CloseAsync(TimeSpan patience, TimeProvider time)
    {
        foreach (var listener in _listeners)
        {
            await listener.UnbindAsync();
        }
        await Task.WhenAny(SettledAsync(), Task.Delay(patience, time));
    }

    private async Task SettledAsync()
    {
        await Task.WhenAll(_listeners.Select(listener => listener.AllLetIn));
        await _newcomers.NoneAsync();
    }

    private sealed class Listener : IConnectionListener
    {
        private readonly SocketConnectionContextFactory _connections;
        private readonly CancellationTokenSource _unbound = new();
        private readonly ChannelReader<(Socket Socket, Newcomer Newcomer)> _visitors;
        private readonly bool _noDelay;

        public Listener(HeldPort port, Newcomers newcomers, SocketTransportOptions options, ILoggerFactory loggers)
        {
            (EndPoint, _noDelay) = (port.EndPoint, options.NoDelay);
            _connections = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), loggers.CreateLogger<SocketConnectionContextFactory>());
            _visitors = port.Accept(newcomers, _unbound.Token);
        }

        public EndPoint EndPoint { get; }

        /// <summary>Ends when it is unbound and the server has all who came before.</summary>
        public Task AllLetIn => _visitors.Completion;

        /// <returns>Null: there are no more.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await _visitors.WaitToReadAsync(cancellationToken))
            {
                if (_visitors.TryRead(out var visitor))
                {
                    visitor.Socket.NoDelay = _noDelay;
                    var connection = _connections.Create(visitor.Socket);
                    connection.Features.Set(visitor.Newcomer);
                    connection.ConnectionClosed.UnsafeRegister(static newcomer => ((Newcomer)newcomer!).Settle(), visitor.Newcomer);
                    return connection;
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
                    left.Socket.Dispose();   // of a listener that never began to accept
                    left.Newcomer.Settle();
                }
            }
            _connections.Dispose();
            _unbound.Dispose();
        }
    }
}
