using System.Net.Sockets;
using RagAgent.Common;

namespace RagAgent.Control;

/// <summary>Ensures that only one agent manages a container. The kernel holds the lock, so a crash leaves no stale one.</summary>
internal sealed class SingleInstanceLock : IDisposable
{
    private readonly Socket _lockSocket;

    /// <param name="engineSocket">The engine that runs the container.</param>
    /// <param name="container">The container's name.</param>
    /// <exception cref="ProblemException">Another agent holds the lock.</exception>
    public SingleInstanceLock(string engineSocket, string container)
    {
        _lockSocket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The leading zero byte makes it a name in the kernel's abstract namespace instead of a file.
            _lockSocket.Bind(new UnixDomainSocketEndPoint($"\0ragagent/{Fingerprint.Of(engineSocket, container)}"));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            _lockSocket.Dispose();
            throw new ProblemException(new Problem(ProblemCatalog.AlreadyRunning,
                $"Another RagAgent on this machine already manages the container {container}.",
                "Use it ('ragagent status'), stop it ('systemctl stop ragagent'), or set another container.name."), exception);
        }
    }

    public void Dispose() => _lockSocket.Dispose();
}
