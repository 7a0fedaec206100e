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
    /// <param name="afterStep">Called after each step, for a test that ends there.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? afterStep = null)
    {
        var directory = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        // Beside it, for a rename does not cross file systems; of one name, so that crashes leave one at most.
        var temporaryPath = path + ".new";
        try
        {
            File.Delete(temporaryPath);
            Write(temporaryPath, content, afterStep);
            File.Move(temporaryPath, path, overwrite: true);
        }
        catch (IOException)
        {
            TryDelete(temporaryPath);   // on a full disk its bytes are somebody's
            throw;
        }
        afterStep?.Invoke(ReplaceStep.Renamed);
        SyncDirectory(directory);
        afterStep?.Invoke(ReplaceStep.DirectorySynced);
    }

    private static void Write(string temporaryPath, ReadOnlySpan<byte> content, Action<ReplaceStep>? afterStep)
    {
        // CreateNew: nothing is followed or shared that lies there under this name.
        using var stream = new FileStream(temporaryPath, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = OwnerOnly });
        afterStep?.Invoke(ReplaceStep.Opened);
        stream.Write(content);
        afterStep?.Invoke(ReplaceStep.Written);
        stream.Flush(flushToDisk: true);
        afterStep?.Invoke(ReplaceStep.Synced);
    }

    private static void TryDelete(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return;   // the failure that led here is the one to tell
        }
    }

    /// <summary>Makes the rename itself outlast a power cut: it is the directory's content.</summary>
    private static void SyncDirectory(string directory)
    {
        // The framework opens no directories.
        using var handle = new SafeFileHandle(Open(Encoding.UTF8.GetBytes(directory + '\0'), OpenReadOnly), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"{Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}: {directory}", Marshal.GetLastPInvokeError());
        }
        RandomAccess.FlushToDisk(handle);
    }

    private const int OpenReadOnly = 0x80000;   // O_RDONLY | O_CLOEXEC

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);
}
