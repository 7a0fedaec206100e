using RagAgent.Common;

namespace RagAgent.Control;

/// <summary>The control socket and the directory that it is in, which one agent has: a lock of the kernel's on a file in it, so nothing stale is left by a crash.</summary>
/// <remarks>One for the whole life of the process: between the two agents of a reload, nobody else gets the directory.</remarks>
internal sealed class ControlSocket(string directory) : IDisposable
{
    private const int LockedByAnotherProcess = 11;   // EWOULDBLOCK

    private FileStream? _lockFile;

    /// <exception cref="ProblemException">No socket can be there.</exception>
    public string SocketPath => RuntimeDirectory.SocketPath(directory);

    public string Directory => directory;

    /// <summary>Makes the directory this agent's; does nothing when it is already.</summary>
    /// <exception cref="ProblemException">Another agent has it, it can't be made, or no socket can be there.</exception>
    public void Acquire()
    {
        if (_lockFile is not null)
        {
            return;
        }
        _ = SocketPath;   // before a directory is made that is of no use
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            // The file stays: between the removal of a locked file and the end of its lock, a third agent could make and lock another one.
            _lockFile = new FileStream(Path.Combine(directory, "control.lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException exception) when (exception.HResult == LockedByAnotherProcess)
        {
            throw new ProblemException(new Problem(ProblemCatalog.RuntimeDirectoryTaken, $"The runtime directory {directory} belongs to another RagAgent that runs on this machine.",
                $"Give this one a directory of its own with --runtime-dir; 'ragagent status --runtime-dir {directory}' shows the other one."), exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotCreate(exception);
        }
    }

    /// <summary>Removes what a killed agent left: nobody listens on it, or the directory would not be ours.</summary>
    public void RemoveStaleSocket()
    {
        try
        {
            File.Delete(SocketPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotCreate(exception);
        }
    }

    public void Dispose() => _lockFile?.Dispose();

    private ProblemException CannotCreate(Exception exception) => new(new Problem(ProblemCatalog.ControlSocket, $"The control socket {SocketPath} can't be made: {exception.Message.TrimEnd('.')}.",
        "Run the agent by its systemd unit, or give --runtime-dir a directory that this user can write to."), exception);
}
