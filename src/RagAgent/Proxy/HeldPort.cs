using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RagAgent.Proxy;

/// <summary>A port that is open whether or not somebody listens. While nobody does, who comes waits in the kernel's queue, for the next listener in this process or another.</summary>
internal sealed class HeldPort(Socket socket, int port)
{
    // How soon it is noticed that nobody listens any more.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    public int Port => port;

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <summary>Accepts visitors until the token fires; then the reader ends, behind those that were accepted before.</summary>
    /// <param name="newcomers">Where each is counted, before the reader has it.</param>
    /// <param name="stopping">Ends it, within a quarter of a second.</param>
    public ChannelReader<(Socket Socket, Newcomer Newcomer)> Accept(Newcomers newcomers, CancellationToken stopping)
    {
        var visitors = Channel.CreateUnbounded<(Socket, Newcomer)>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        // Blocking calls in a thread of its own: see ActivationSockets.
        new Thread(() => AcceptUntil(stopping, newcomers, visitors.Writer)) { IsBackground = true, Name = $"port {port}" }.Start();
        return visitors.Reader;
    }

    private void AcceptUntil(CancellationToken stopping, Newcomers newcomers, ChannelWriter<(Socket, Newcomer)> visitors)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // Looked for first: one that is accepted and then has nobody to serve it would be lost.
                if (socket.Poll(Look, SelectMode.SelectRead) && !stopping.IsCancellationRequested)
                {
                    visitors.TryWrite((socket.Accept(), newcomers.Greet()));
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
