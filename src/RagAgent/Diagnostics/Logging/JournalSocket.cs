using System.Net.Sockets;

namespace RagAgent.Diagnostics.Logging;

/// <summary>The journal's native socket, which accepts fields in addition to lines.</summary>
/// <remarks>
/// Follows "Native Journal Protocol" in systemd's documentation.
/// An entry too large for one datagram goes to standard output instead.
/// </remarks>
internal sealed class JournalSocket : IDisposable
{
    private const string JournaldPath = "/run/systemd/journal/socket";
    private const string StandardOutputLink = "/proc/self/fd/1";

    // Logging blocks the supervision: a hanging journal must not trip the watchdog.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly UnixDomainSocketEndPoint _journald;
    private int _dropped;

    public JournalSocket(string path)
    {
        _journald = new UnixDomainSocketEndPoint(path);
        _socket.SendTimeout = (int)SendTimeout.TotalMilliseconds;
    }

    /// <summary>Opens the socket if standard output is connected to the journal.</summary>
    public static JournalSocket? Detect() =>
        IsStandardOutputJournal() && File.Exists(JournaldPath) ? new JournalSocket(JournaldPath) : null;

    /// <summary>
    /// Whether standard output is connected to the journal.
    /// The environment variable alone does not prove that, because child processes inherit it.
    /// </summary>
    public static bool IsStandardOutputJournal() =>
        IsJournalStream(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), new FileInfo(StandardOutputLink).LinkTarget);

    /// <param name="stream"><c>JOURNAL_STREAM</c>, in the form <c>device:inode</c>.</param>
    /// <param name="standardOutput">The kernel's link for standard output: <c>socket:[inode]</c> for a socket.</param>
    public static bool IsJournalStream(string? stream, string? standardOutput) =>
        stream?.Split(':') is [{ Length: > 0 }, { Length: > 0 } inode] && standardOutput == $"socket:[{inode}]";

    /// <summary>
    /// Waits up to two seconds for a busy journal.
    /// After a timeout it doesn't wait again until the journal has accepted an entry.
    /// </summary>
    /// <param name="entry">Lost if the journal stays busy.</param>
    /// <param name="dropped">How many entries were lost before this one was accepted.</param>
    /// <returns>False if the journal can't accept this entry at all, so that the caller writes it elsewhere.</returns>
    public bool Send(ReadOnlySpan<byte> entry, out int dropped)
    {
        dropped = 0;
        try
        {
            _socket.SendTo(entry, SocketFlags.None, _journald);
            (_socket.Blocking, dropped, _dropped) = (true, _dropped, 0);
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            // True, so that the caller doesn't write it to standard output: the same journal reads that, without any timeout.
            (_socket.Blocking, _dropped) = (false, _dropped + 1);
            return true;
        }
        catch (SocketException)
        {
            return false;   // the journal is not running, or the entry is too large
        }
    }

    public void Dispose() => _socket.Dispose();
}
