using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>Notices that nobody reads standard output any more, also while nothing is written to it.</summary>
/// <remarks>
/// The runtime ignores SIGPIPE and drops in silence what is written to a pipe without a reader: a command that waits for news would outlive its
/// <c>| head -1</c> for ever.
/// </remarks>
internal static partial class OutputPipeMonitor
{
    private const int StandardOutputDescriptor = 1;
    private const int Interrupted = 4;   // EINTR

    /// <returns>Fires when the other end is closed. Never for a file, which has no reader.</returns>
    public static CancellationToken WatchReader()
    {
        var gone = new CancellationTokenSource();
        // Its wait costs nothing and ends with the process.
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

    /// <summary>Whether it is gone by now.</summary>
    public static bool IsReaderGone() => IsReaderGone(0);

    private static bool IsReaderGone(int milliseconds)
    {
        // Asked for nothing, the kernel still tells the end of the other side.
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
