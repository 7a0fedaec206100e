using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>Notices that the reader of standard output is gone, even while nothing is written.</summary>
/// <remarks>
/// The runtime ignores SIGPIPE and silently drops what is written to a pipe without a reader.
/// A command that waits for changes would outlive its <c>| head -1</c> forever.
/// </remarks>
internal static partial class OutputPipeMonitor
{
    private const int StandardOutputDescriptor = 1;
    private const int Interrupted = 4;   // EINTR

    /// <returns>Fires when the reader closes the pipe. Never fires for a file.</returns>
    public static CancellationToken WatchReader()
    {
        var gone = new CancellationTokenSource();
        // The waiting thread costs nothing and ends with the process.
        new Thread(() =>
        {
            if (IsReaderGone(Timeout.Infinite))
            {
                gone.Cancel();
            }
        })
        { IsBackground = true }.Start();
        return gone.Token;
    }

    public static bool IsReaderGone() => IsReaderGone(0);

    private static bool IsReaderGone(int milliseconds)
    {
        // Even without requested events, the kernel reports that the other end was closed.
        var descriptor = new PollDescriptor { Descriptor = StandardOutputDescriptor };
        int ready;
        do
        {
            ready = Poll(ref descriptor, 1, milliseconds);
        }
        while (ready < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return ready > 0;
    }

    [LibraryImport("libc.so.6", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int milliseconds);

    /// <summary>The kernel's <c>struct pollfd</c>.</summary>
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
