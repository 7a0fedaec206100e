using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>Notices that nobody reads standard output any more, also while nothing is written to it.</summary>
/// <remarks>
/// The runtime ignores SIGPIPE and drops in silence what is written to a pipe without a reader: a command that waits for news would outlive its
/// <c>| head -1</c> for ever.
/// </remarks>
internal static partial class OutputReader
{
    private const int StandardOutput = 1;
    private const int Interrupted = 4;   // EINTR

    /// <returns>Fires when the other end is closed. Never for a file, which has no reader.</returns>
    public static CancellationToken UntilGone()
    {
        var gone = new CancellationTokenSource();
        // Its wait costs nothing and ends with the process.
        new Thread(() =>
        {
            if (IsGone(Timeout.Infinite))
            {
                gone.Cancel();
            }
        })
        { IsBackground = true }.Start();
        return gone.Token;
    }

    /// <summary>Whether it is gone by now.</summary>
    public static bool IsGone() => IsGone(0);

    private static bool IsGone(int milliseconds)
    {
        // Asked for nothing, the kernel still tells the end of the other side.
        var output = new Polled { Descriptor = StandardOutput };
        int told;
        do
        {
            told = Poll(ref output, 1, milliseconds);
        }
        while (told < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return told > 0;
    }

    [LibraryImport("libc.so.6", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref Polled descriptors, nuint count, int milliseconds);

    /// <summary>The kernel's <c>struct pollfd</c>.</summary>
    private struct Polled
    {
        public int Descriptor;
        public short Asked;
        public short Told;
    }
}
