using System.Text;
using RagAgent.Common;

namespace RagAgent.Control;

/// <summary>Where a running agent is found: systemd's runtime directory, or the user's own.</summary>
internal static class RuntimeDirectory
{
    private const string ServicePath = "/run/ragagent";

    // Linux's sockaddr_un has room for 108 bytes, including the terminating zero.
    private const int MaxSocketPathBytes = 107;

    /// <summary>The directory that systemd set, the service's, or the one in the user's session.</summary>
    public static string Default
    {
        get
        {
            if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } configured)
            {
                return configured.Split(':')[0];
            }
            if (Directory.Exists(ServicePath) || Environment.IsPrivilegedProcess)
            {
                return ServicePath;
            }
            return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } session
                ? Path.Combine(session, "ragagent")
                : ServicePath;
        }
    }

    /// <exception cref="ProblemException">The path is too long for a socket.</exception>
    public static string SocketPath(string directory)
    {
        var socket = Path.Combine(directory, "control.sock");
        var length = Encoding.UTF8.GetByteCount(socket);
        return length <= MaxSocketPathBytes
            ? socket
            : throw new ProblemException(new Problem(ProblemCatalog.ControlSocketName,
                $"The control socket can't be {socket}: the path has {length} bytes, " +
                $"and a socket's path can have at most {MaxSocketPathBytes}.",
                "Give --runtime-dir a shorter path."));
    }
}
