using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RagAgent.Proxy.Listening;

/// <summary>Listening sockets that systemd opened before the agent ran, and holds while none does: who comes meanwhile waits, and is not refused.</summary>
/// <remarks>
/// Follows sd_listen_fds(3). One for the whole life of the process: who comes between the two agents of a reload waits as well. Each socket is
/// accepted from by a thread of its own, for one that nobody closes can't be given to the framework's event loop a second time.
/// </remarks>
internal sealed class ActivationSockets
{
    private const int FirstDescriptor = 3;
    private const int MaxDescriptors = 64;

    private readonly ActivatedPort[] _ports;

    private ActivationSockets(ActivatedPort[] ports) => _ports = ports;

    public static ActivationSockets None { get; } = new([]);

    /// <summary>Their ports.</summary>
    public IEnumerable<int> Ports => _ports.Select(activated => activated.Port);

    /// <summary>As systemd hands them to this process. What it inherited otherwise is not taken.</summary>
    public static ActivationSockets FromEnvironment() =>
        FromDescriptors(ParseDescriptors(Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"), Environment.ProcessId));

    /// <summary>Those of these descriptors that are what they should be.</summary>
    public static ActivationSockets FromDescriptors(IEnumerable<int> descriptors) => new([.. descriptors.Select(TryOpen).OfType<ActivatedPort>()]);

    /// <param name="listenPid">Of <c>LISTEN_PID</c>: whom they are for.</param>
    /// <param name="listenFds">Of <c>LISTEN_FDS</c>.</param>
    /// <param name="processId">This process.</param>
    /// <returns>Their descriptors.</returns>
    public static IEnumerable<int> ParseDescriptors(string? listenPid, string? listenFds, int processId) =>
        listenPid == processId.ToString(CultureInfo.InvariantCulture) && int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var many)
            ? Enumerable.Range(FirstDescriptor, Math.Min(many, MaxDescriptors))
            : [];

    public ActivatedPort? Find(int port) => _ports.FirstOrDefault(activated => activated.Port == port);

    private static ActivatedPort? TryOpen(int descriptor)
    {
        // Not owned: it is systemd's, and is the next agent's when this process ends.
        var socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: false));
        try
        {
            if (socket is { SocketType: SocketType.Stream, LocalEndPoint: IPEndPoint { Port: var port } })
            {
                return new ActivatedPort(socket, port);
            }
        }
        catch (SocketException)
        {
            // A file or a pipe, as a unit of somebody's own may hand over.
        }
        socket.Dispose();
        return null;
    }
}
