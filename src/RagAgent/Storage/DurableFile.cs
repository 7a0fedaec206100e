using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RagAgent.Storage;

/// <summary>The steps of a replacement, in order. Only tests use them.</summary>
internal enum ReplaceStep
{
    Opened,
    Written,
    Synced,
    Renamed,
    DirectorySynced,
}

/// <summary>Replaces files so that a crash or power cut at any moment leaves either the old content or the new one, complete.</summary>
internal static class DurableFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file that only its owner may read. Must not run concurrently for the same path.</summary>
    /// <param name="path">The file. Its directory is created if it is missing.</param>
    /// <param name="content">The whole content.</param>
    /// <param name="afterStep">Called after each step, for tests that crash there.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, Action<ReplaceStep>? afterStep = null)
    {
        var directory = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        // In the same directory, because a rename can't cross file systems. Always the same name, so that crashes leave at most one.
        var temporaryPath = path + ".new";
        try
        {
            File.Delete(temporaryPath);
            Write(temporaryPath, content, afterStep);
            File.Move(temporaryPath, path, overwrite: true);
        }
        catch (IOException)
        {
            TryDelete(temporaryPath);   // on a full disk every byte counts
            throw;
        }
        afterStep?.Invoke(ReplaceStep.Renamed);
        SyncDirectory(directory);
        afterStep?.Invoke(ReplaceStep.DirectorySynced);
    }

    private static void Write(string temporaryPath, ReadOnlySpan<byte> content, Action<ReplaceStep>? afterStep)
    {
        using var stream = new FileStream(temporaryPath, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,   // follows no symbolic link
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
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
            return;   // the original failure is the one to report
        }
    }

    /// <summary>Makes the rename itself survive a power cut: it is part of the directory's content.</summary>
    private static void SyncDirectory(string directory)
    {
        // .NET can't open directories.
        using var handle = new SafeFileHandle(Open(Encoding.UTF8.GetBytes(directory + '\0'), OpenReadOnly), ownsHandle: true);
        if (handle.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)}: {directory}", error);
        }
        RandomAccess.FlushToDisk(handle);
    }

    private const int OpenReadOnly = 0x80000;   // O_RDONLY | O_CLOEXEC

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);
}
