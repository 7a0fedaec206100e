using RagAgent.Common;

namespace RagAgent.Control;

/// <summary>
/// The control socket and its directory, which belongs to one agent at a time.
/// The kernel holds the lock on a file in it, so a crash leaves no stale lock.
/// </summary>
/// <remarks>One instance for the life of the process, so that no other agent takes the directory during a reload.</remarks>
internal sealed class ControlSocketLock(string directory) : IDisposable
{
    private const int LockedByAnotherProcess = 11;   // EWOULDBLOCK

    private FileStream? _lockFile;

    /// <exception cref="ProblemException">The path is too long for a socket.</exception>
    public string SocketPath => RuntimeDirectory.SocketPath(directory);

    public string Directory => directory;

    /// <summary>Takes the directory for this process. Does nothing if it already has it.</summary>
    /// <exception cref="ProblemException">Another agent has it, it can't be created, or its path is too long for a socket.</exception>
    public void Acquire()
    {
        if (_lockFile is not null)
        {
            return;
        }
        _ = SocketPath;   // throws before an unusable directory is created
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            // The lock file is never deleted: between its removal and the end of the lock, a third agent could create and lock another one.
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
            throw new ProblemException(new Problem(ProblemCatalog.RuntimeDirectoryTaken,
                $"Another RagAgent on this machine uses the runtime directory {directory}.",
                $"Give this one its own directory with --runtime-dir; 'ragagent status --runtime-dir {directory}' shows the other one."),
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CannotCreate(exception);
        }
    }

    /// <summary>Removes the socket of an agent that was killed. Nothing listens on it, because this process has the directory.</summary>
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

    private ProblemException CannotCreate(Exception exception) => new(new Problem(ProblemCatalog.ControlSocket,
        $"The control socket {SocketPath} can't be created: {exception.Message.TrimEnd('.')}.",
        "Run the agent through its systemd unit, or set --runtime-dir to a directory that this user can write to."), exception);
}
