using System.Net.Sockets;

namespace RagAgent.Diagnostics.Logging;

/// <summary>The journal's own door, which takes fields and not only lines.</summary>
/// <remarks>Follows "Native Journal Protocol" of systemd's documentation. A line too large for one datagram goes the way of standard output instead.</remarks>
internal sealed class JournalSocket : IDisposable
{
    private const string JournaldPath = "/run/systemd/journal/socket";
    private const string StandardOutputLink = "/proc/self/fd/1";

    // Who logs holds up the supervision meanwhile: a journal that hangs must not be the agent's death.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(2);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly UnixDomainSocketEndPoint _journald;
    private int _dropped;

    public JournalSocket(string path) => (_journald, _socket.SendTimeout) = (new UnixDomainSocketEndPoint(path), (int)SendTimeout.TotalMilliseconds);

    /// <summary>The journal, when standard output leads there.</summary>
    public static JournalSocket? Detect() => IsStandardOutputJournal() && File.Exists(JournaldPath) ? new JournalSocket(JournaldPath) : null;

    /// <summary>Whether this process's standard output leads to the journal; its environment alone does not say so, for it is inherited.</summary>
    public static bool IsStandardOutputJournal() => IsJournalStream(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), new FileInfo(StandardOutputLink).LinkTarget);

    /// <param name="stream">Of the form <c>device:inode</c>, as systemd sets it.</param>
    /// <param name="standardOutput">Of the form <c>socket:[inode]</c>, as the kernel shows a socket.</param>
    public static bool IsJournalStream(string? stream, string? standardOutput) =>
        stream?.Split(':') is [{ Length: > 0 }, { Length: > 0 } inode] && standardOutput == $"socket:[{inode}]";

    /// <summary>Waits two seconds when the journal is busy, and after that not at all until it takes something again.</summary>
    /// <param name="entry">What it is too busy for is lost.</param>
    /// <param name="dropped">How many were, before it took this one.</param>
    /// <returns>False: it does not take this one, which then has another way.</returns>
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
            // Not to standard output: the same journal reads it, and that would wait without end.
            (_socket.Blocking, _dropped) = (false, _dropped + 1);
            return true;
        }
        catch (SocketException)
        {
            return false;   // away, or the entry is too large
        }
    }

    public void Dispose() => _socket.Dispose();
}
