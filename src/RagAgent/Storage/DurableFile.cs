using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RagAgent.Storage;

/// <summary>What a replacement consists of, in this order. Only a test looks at it.</summary>
internal enum ReplaceStep
{
    Opened,
    Written,
    Synced,
    Renamed,
    DirectorySynced,
}

/// <summary>Replaces files so that a crash or a power cut at any moment leaves the old content or the new one, whole.</summary>
internal static class DurableFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Readable by its owner only. Must not run twice at once for one path.</summary>
    /// <param name="path">What to replace; its directory is made when it is missing.</param>
    /// <param name="content">All that the file is to hold.</param>
    /// <param name="after">Called after each step, for a test that ends there.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? after = null)
    {
        var directory = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        // Beside it, for a rename does not cross file systems; of one name, so that crashes leave one at most.
        var fresh = path + ".new";
        try
        {
            File.Delete(fresh);
            Write(fresh, content, after);
            File.Move(fresh, path, overwrite: true);
        }
        catch (IOException)
        {
            TryDelete(fresh);   // on a full disk its bytes are somebody's
            throw;
        }
        after?.Invoke(ReplaceStep.Renamed);
        SyncDirectory(directory);
        after?.Invoke(ReplaceStep.DirectorySynced);
    }

    private static void Write(string fresh, ReadOnlySpan<byte> content, Action<ReplaceStep>? after)
    {
        // CreateNew: nothing is followed or shared that lies there under this name.
        using var stream = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = OwnerOnly });
        after?.Invoke(ReplaceStep.Opened);
        stream.Write(content);
        after?.Invoke(ReplaceStep.Written);
        stream.Flush(flushToDisk: true);
        after?.Invoke(ReplaceStep.Synced);
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;   // the failure that led here is the one to tell
        }
    }

    /// <summary>Makes the rename itself outlast a power cut: it is the directory's content.</summary>
    private static void SyncDirectory(string directory)
    {
        // The framework opens no directories.
        using var handle = new SafeFileHandle(Open(Encoding.UTF8.GetBytes(directory + '\0'), OpenForReading), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"{Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}: {directory}", Marshal.GetLastPInvokeError());
        }
        RandomAccess.FlushToDisk(handle);
    }

    private const int OpenForReading = 0x80000;   // O_RDONLY | O_CLOEXEC

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);
}
