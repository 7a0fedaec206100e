using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RagAgent.Proxy.Listening;

/// <summary>A port that is open whether or not somebody listens. While nobody does, who comes waits in the kernel's queue, for the next listener in this process or another.</summary>
internal sealed class ActivatedPort(Socket socket, int port)
{
    // How soon it is noticed that nobody listens any more.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    public int Port => port;

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <summary>Accepts visitors until the token fires; then the reader ends, behind those that were accepted before.</summary>
    /// <param name="pendingConnections">Where each is counted, before the reader has it.</param>
    /// <param name="stopping">Ends it, within a quarter of a second.</param>
    public ChannelReader<(Socket Socket, PendingConnection Newcomer)> StartAccepting(PendingConnections pendingConnections, CancellationToken stopping)
    {
        var connections = Channel.CreateUnbounded<(Socket, PendingConnection)>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        // Blocking calls in a thread of its own: see ActivationSockets.
        new Thread(() => AcceptLoop(stopping, pendingConnections, connections.Writer)) { IsBackground = true, Name = $"port {port}" }.Start();
        return connections.Reader;
    }

    private void AcceptLoop(CancellationToken stopping, PendingConnections pendingConnections, ChannelWriter<(Socket, PendingConnection)> connections)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // Looked for first: one that is accepted and then has nobody to serve it would be lost.
                if (socket.Poll(PollInterval, SelectMode.SelectRead) && !stopping.IsCancellationRequested)
                {
                    connections.TryWrite((socket.Accept(), pendingConnections.Add()));
                }
            }
            catch (SocketException)
            {
                // The visitor has gone again, or there is no descriptor left: a moment later there may be.
                stopping.WaitHandle.WaitOne(PollInterval);
            }
        }
        connections.Complete();
    }
}
