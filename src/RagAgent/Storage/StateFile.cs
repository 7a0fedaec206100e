using RagAgent.Common;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Storage;

/// <summary><c>state.json</c> in the state directory. Whatever is wrong with it, the agent starts.</summary>
/// <param name="directory">Made when it is missing.</param>
/// <param name="logger">Told when what was remembered is lost.</param>
/// <param name="bootIdFile">Where the kernel tells this life of the machine from others: a hold ends with it.</param>
internal sealed class StateFile(string directory, ILogger<StateFile> logger, string bootIdFile = BootId.KernelPath) : IStateStore
{
    // A thousand times what it holds; a file that is larger is not ours, and memory is short.
    private const int MaxFileSize = 1 << 20;

    // As Linux numbers them.
    private const int NoSpace = 28, ReadOnlyFileSystem = 30, QuotaExceeded = 122;

    // Of the process: after a reload, what the agent before it still writes comes first.
    private static readonly SemaphoreSlim FileLock = new(1);
    private readonly string _path = Path.Combine(directory, "state.json");

    /// <summary>For tests that end in the middle of a write.</summary>
    public Action<ReplaceStep>? AfterStep { get; init; }

    private string BrokenPath => _path + ".broken";

    public PersistedState? Load()
    {
        FileLock.Wait();
        try
        {
            return StateSerializer.Deserialize(ReadBytes(), BootId.Read(bootIdFile));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;   // the first start
        }
        catch (CorruptStateException e)
        {
            SetAside(e.Message);
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

    /// <summary>Of two that overlap, either may be the last.</summary>
    /// <exception cref="ProblemException">It can't be written; what was written before is still there.</exception>
    public async Task SaveAsync(PersistedState state, CancellationToken stopping)
    {
        await FileLock.WaitAsync(stopping);
        try
        {
            // A sync to disk may take long: never on the caller's thread. Once begun it is finished.
            await Task.Run(() => DurableFile.Replace(_path, StateSerializer.Serialize(state, BootId.Read(bootIdFile)), AfterStep), CancellationToken.None);
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
            throw new CorruptStateException($"it is too large to be ours ({stream.Length} bytes)");
        }
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Kept for whoever wants to know, out of the way of the next write.</summary>
    private void SetAside(string why)
    {
        var kept = "";
        try
        {
            File.Move(_path, BrokenPath, overwrite: true);
            kept = $" It is kept as {BrokenPath}.";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            kept = $" It stays where it is: {exception.Message.TrimEnd('.')}.";
        }
        logger.StateLost(new Problem(ProblemCatalog.StateUnreadable, $"What the agent remembered, {_path}, can't be used: {why}.{kept}",
            "Nothing has to be done: the agent goes on with what the containers tell. It does not know any more which images failed, nor that the app was to stay stopped."));
    }

    private Problem WriteProblem(Exception exception)
    {
        var (why, remedy) = exception.HResult switch
        {
            NoSpace or QuotaExceeded => ("the disk is full", $"Free some space ('df -h {directory}')."),
            ReadOnlyFileSystem => ("its file system is read-only", "Have it mounted for writing; after errors of the disk the kernel makes it read-only, see 'dmesg'."),
            _ when exception is UnauthorizedAccessException => ("this user may not write there", $"Run the agent by its systemd unit, or give it a state directory that this user can write to."),
            _ => (exception.Message.TrimEnd('.'), $"See that {directory} is a directory that this user can write to."),
        };
        return new Problem(ProblemCatalog.StateUnwritable, $"What the agent remembers, {_path}, can't be written: {why}.",
            $"{remedy} The app is not touched; until it can be written, a restart of the agent forgets what it has learned since.");
    }
}
