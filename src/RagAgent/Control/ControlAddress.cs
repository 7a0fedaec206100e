using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>The control socket and the directory that it is in, which one agent has: a lock of the kernel's on a file in it, so nothing stale is left by a crash.</summary>
/// <remarks>One for the whole life of the process: between the two agents of a reload, nobody else gets the directory.</remarks>
internal sealed class ControlAddress(string directory) : IDisposable
{
    private const int HeldByAnother = 11;   // EWOULDBLOCK

    private FileStream? _claim;

    /// <exception cref="ProblemException">No socket can be there.</exception>
    public string Socket => RuntimeDirectory.Socket(directory);

    public string Directory => directory;

    /// <summary>Makes the directory this agent's; does nothing when it is already.</summary>
    /// <exception cref="ProblemException">Another agent has it, it can't be made, or no socket can be there.</exception>
    public void Claim()
    {
        if (_claim is not null)
        {
            return;
        }
        _ = Socket;   // before a directory is made that is of no use
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            // The file stays: between the removal of a locked file and the end of its lock, a third agent could make and lock another one.
            _claim = new FileStream(Path.Combine(directory, "control.lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException e) when (e.HResult == HeldByAnother)
        {
            throw new ProblemException(new Problem("runtime-directory-taken", $"The runtime directory {directory} belongs to another RagAgent that runs on this machine.",
                $"Give this one a directory of its own with --runtime-dir; 'ragagent status --runtime-dir {directory}' shows the other one."), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CanNotBeMade(e);
        }
    }

    /// <summary>Removes what a killed agent left: nobody listens on it, or the directory would not be ours.</summary>
    public void RemoveLeftSocket()
    {
        try
        {
            File.Delete(Socket);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CanNotBeMade(e);
        }
    }

    public void Dispose() => _claim?.Dispose();

    private ProblemException CanNotBeMade(Exception e) => new(new Problem("control-socket", $"The control socket {Socket} can't be made: {e.Message.TrimEnd('.')}.",
        "Run the agent by its systemd unit, or give --runtime-dir a directory that this user can write to."), e);
}
