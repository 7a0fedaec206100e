using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RagAgent.Proxy.Listening;

/// <summary>
/// Listening sockets that systemd opened before the agent started and keeps open while no agent runs:
/// clients that connect meanwhile wait instead of being refused.
/// </summary>
/// <remarks>
/// Follows sd_listen_fds(3). One instance for the life of the process, so that clients also wait during a reload.
/// Each socket has its own accepting thread, because a socket that is never closed can't be registered with .NET's event loop twice.
/// </remarks>
internal sealed class ActivationSockets
{
    private const int FirstDescriptor = 3;
    private const int MaxDescriptors = 64;

    private readonly ActivatedPortAcceptor[] _ports;

    private ActivationSockets(ActivatedPortAcceptor[] ports) => _ports = ports;

    public static ActivationSockets None { get; } = new([]);

    public IEnumerable<int> Ports => _ports.Select(activated => activated.Port);

    /// <summary>The sockets that systemd passed to this process. Descriptors inherited from a parent process are ignored.</summary>
    public static ActivationSockets FromEnvironment() => FromDescriptors(ParseDescriptors(
        Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"), Environment.ProcessId));

    /// <summary>Those of the descriptors that are TCP sockets.</summary>
    public static ActivationSockets FromDescriptors(IEnumerable<int> descriptors) =>
        new([.. descriptors.Select(TryOpen).OfType<ActivatedPortAcceptor>()]);

    /// <param name="listenPid"><c>LISTEN_PID</c>: the process that the sockets are for.</param>
    /// <param name="listenFds"><c>LISTEN_FDS</c>: how many there are.</param>
    /// <param name="processId">This process.</param>
    /// <returns>The file descriptors; none if they are for another process.</returns>
    public static IEnumerable<int> ParseDescriptors(string? listenPid, string? listenFds, int processId) =>
        listenPid == processId.ToString(CultureInfo.InvariantCulture) &&
        int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? Enumerable.Range(FirstDescriptor, Math.Min(count, MaxDescriptors))
            : [];

    public ActivatedPortAcceptor? Find(int port) => _ports.FirstOrDefault(activated => activated.Port == port);

    private static ActivatedPortAcceptor? TryOpen(int descriptor)
    {
        // Not owned: it belongs to systemd, which passes it to the next agent when this process exits.
        var socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: false));
        try
        {
            if (socket is { SocketType: SocketType.Stream, LocalEndPoint: IPEndPoint { Port: var port } })
            {
                return new ActivatedPortAcceptor(socket, port);
            }
        }
        catch (SocketException)
        {
            // A file or a pipe, which an operator's own unit may pass.
        }
        socket.Dispose();
        return null;
    }
}
