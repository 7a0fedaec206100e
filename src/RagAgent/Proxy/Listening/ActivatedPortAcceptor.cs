using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RagAgent.Proxy.Listening;

/// <summary>
/// A listening port that stays open whether or not anything accepts from it.
/// Meanwhile connections wait in the kernel's queue for the next listener, in this process or another.
/// </summary>
internal sealed class ActivatedPortAcceptor(Socket socket, int port)
{
    // How soon the accept loop notices that it was cancelled.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    public int Port => port;

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <summary>Accepts connections until the token fires. The reader ends after the last accepted one.</summary>
    /// <param name="pendingConnections">Counts each connection before the reader returns it.</param>
    /// <param name="stopping">Stops accepting within 250 ms.</param>
    public ChannelReader<(Socket Socket, PendingConnection Pending)> StartAccepting(
        PendingConnections pendingConnections, CancellationToken stopping)
    {
        var options = new UnboundedChannelOptions { SingleReader = true, SingleWriter = true };
        var connections = Channel.CreateUnbounded<(Socket, PendingConnection)>(options);
        // Blocking calls on a dedicated thread: see ActivationSockets.
        var thread = new Thread(() => AcceptLoop(stopping, pendingConnections, connections.Writer))
        {
            IsBackground = true,
            Name = $"port {port}",
        };
        thread.Start();
        return connections.Reader;
    }

    private void AcceptLoop(
        CancellationToken stopping, PendingConnections pendingConnections, ChannelWriter<(Socket, PendingConnection)> connections)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // Polls before it accepts: a connection accepted after the cancellation would never be served.
                if (socket.Poll(PollInterval, SelectMode.SelectRead) && !stopping.IsCancellationRequested)
                {
                    connections.TryWrite((socket.Accept(), pendingConnections.Add()));
                }
            }
            catch (SocketException)
            {
                // The client has disconnected, or no file descriptor is free. A moment later one may be.
                stopping.WaitHandle.WaitOne(PollInterval);
            }
        }
        connections.Complete();
    }
}
