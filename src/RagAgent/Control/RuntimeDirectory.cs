using System.Net.Sockets;
using System.Text;
using RagAgent.Common;

namespace RagAgent.Control;

/// <summary>Where a running agent is found: systemd's runtime directory, or the user's own.</summary>
internal static class RuntimeDirectory
{
    private const string ServicePath = "/run/ragagent";

    /// <summary>What systemd says, what root uses, or what the user's session has.</summary>
    public static string Default =>
        Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } given ? given.Split(':')[0]
        : Directory.Exists(ServicePath) || Environment.IsPrivilegedProcess ? ServicePath
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } session ? Path.Combine(session, "ragagent")
        : ServicePath;

    /// <summary>In bytes: Linux's sockaddr_un has room for 108, the zero at the end included.</summary>
    private const int MaxSocketPathBytes = 107;

    /// <exception cref="ProblemException">No socket can have this name.</exception>
    public static string SocketPath(string directory)
    {
        var socket = Path.Combine(directory, "control.sock");
        return Encoding.UTF8.GetByteCount(socket) is var length and > MaxSocketPathBytes
            ? throw new ProblemException(new Problem(ProblemCatalog.ControlSocketName, $"The control socket can't be {socket}: that name has {length} bytes, and the longest that a socket can have is {MaxSocketPathBytes}.",
                "Give --runtime-dir a shorter path."))
            : socket;
    }
}

/// <summary>Makes sure that one container has one agent. Held by the kernel, so nothing stale is left by a crash.</summary>
internal sealed class SingleInstanceLock : IDisposable
{
    private readonly Socket _lockSocket;

    /// <param name="engineSocket">The engine that the container lives in.</param>
    /// <param name="container">Its name.</param>
    /// <exception cref="ProblemException">Another agent has it.</exception>
    public SingleInstanceLock(string engineSocket, string container)
    {
        _lockSocket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // A leading zero byte makes it a name in the kernel instead of a file.
            _lockSocket.Bind(new UnixDomainSocketEndPoint($"\0ragagent/{Fingerprint.Of(engineSocket, container)}"));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            _lockSocket.Dispose();
            throw new ProblemException(new Problem(ProblemCatalog.AlreadyRunning, $"Another RagAgent already looks after the container {container} on this machine.",
                "Use it ('ragagent status'), stop it ('systemctl stop ragagent'), or set another container.name."), exception);
        }
    }

    public void Dispose() => _lockSocket.Dispose();
}
