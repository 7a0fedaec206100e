using RagAgent.Common;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Storage;

/// <summary><c>state.json</c> in the state directory. The agent starts whatever is wrong with it.</summary>
/// <param name="directory">The state directory. Created if it is missing.</param>
/// <param name="clock">Times in the file are wall-clock times, because the agent's own begin at its start.</param>
/// <param name="logger">Reports lost state.</param>
/// <param name="bootIdFile">The kernel's file with the boot ID: a hold ends when the machine reboots.</param>
internal sealed class StateFile(string directory, AgentClock clock, ILogger<StateFile> logger, string bootIdFile = BootId.KernelPath)
    : IStateStore
{
    // A thousand times its usual size. A larger file is not the agent's, and memory is scarce.
    private const int MaxFileSize = 1 << 20;

    // Linux errno values.
    private const int NoSpace = 28, ReadOnlyFileSystem = 30, QuotaExceeded = 122;

    // One lock for the process: after a reload, the previous agent's last write comes first.
    private static readonly SemaphoreSlim FileLock = new(1);
    private readonly string _path = Path.Combine(directory, "state.json");

    /// <summary>For tests that crash during a write.</summary>
    public Action<ReplaceStep>? AfterStep { get; init; }

    private string BrokenPath => _path + ".broken";

    public PersistedState? Load()
    {
        FileLock.Wait();
        try
        {
            return StateSerializer.Deserialize(ReadBytes(), BootId.Read(bootIdFile), clock);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;   // the first start
        }
        catch (CorruptStateException exception)
        {
            SetAside(exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            SetAside(exception.Message.TrimEnd('.'));
        }
        finally
        {
            FileLock.Release();
        }
        return null;
    }

    /// <summary>If two calls overlap, either may be the last.</summary>
    /// <exception cref="ProblemException">The file can't be written. Its previous content is still there.</exception>
    public async Task SaveAsync(PersistedState state, CancellationToken stopping)
    {
        await FileLock.WaitAsync(stopping);
        try
        {
            // A sync to disk may take long, so it never runs on the caller's thread. Once started, it runs to its end.
            await Task.Run(
                () => DurableFile.Replace(_path, StateSerializer.Serialize(state, BootId.Read(bootIdFile), clock), AfterStep),
                CancellationToken.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(WriteProblem(exception), exception);
        }
        finally
        {
            FileLock.Release();
        }
    }

    private byte[] ReadBytes()
    {
        using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > MaxFileSize)
        {
            throw new CorruptStateException($"it is too large ({stream.Length} bytes)");
        }
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Keeps the file for inspection, out of the way of the next write.</summary>
    private void SetAside(string why)
    {
        string kept;
        try
        {
            File.Move(_path, BrokenPath, overwrite: true);
            kept = $"It was moved to {BrokenPath}.";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            kept = $"It can't be moved away: {exception.Message.TrimEnd('.')}.";
        }
        logger.StateLost(new Problem(ProblemCatalog.StateUnreadable, $"The persisted state {_path} can't be used: {why}. {kept}",
            "No action is needed: the agent continues with what the containers show. " +
            "It no longer knows which images failed, or that an operator stopped the app."));
    }

    private Problem WriteProblem(Exception exception)
    {
        var (why, remedy) = exception.HResult switch
        {
            NoSpace or QuotaExceeded => ("the disk is full", $"Free some space ('df -h {directory}')."),
            ReadOnlyFileSystem => ("its file system is read-only",
                "Mount it read-write. The kernel makes it read-only after disk errors; see 'dmesg'."),
            _ when exception is UnauthorizedAccessException => ("this user may not write there",
                "Run the agent through its systemd unit, or give it a state directory that this user can write to."),
            _ => (exception.Message.TrimEnd('.'), $"Make sure that {directory} is a directory that this user can write to."),
        };
        return new Problem(ProblemCatalog.StateUnwritable, $"The persisted state {_path} can't be written: {why}.",
            $"{remedy} The app is not affected. Until then, a restart of the agent loses everything it has learned since the last write.");
    }
}
