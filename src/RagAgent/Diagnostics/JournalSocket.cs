using System.Net.Sockets;

namespace RagAgent.Diagnostics;

/// <summary>The journal's own door, which takes fields and not only lines.</summary>
/// <remarks>Follows "Native Journal Protocol" of systemd's documentation. A line too large for one datagram goes the way of standard output instead.</remarks>
internal sealed class JournalSocket : IDisposable
{
    private const string Journald = "/run/systemd/journal/socket";
    private const string StandardOutput = "/proc/self/fd/1";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly UnixDomainSocketEndPoint _journald;

    public JournalSocket(string path) => _journald = new UnixDomainSocketEndPoint(path);

    /// <summary>The journal, when standard output leads there.</summary>
    public static JournalSocket? Detect() => IsStandardOutput() && File.Exists(Journald) ? new JournalSocket(Journald) : null;

    /// <summary>Whether this process's standard output leads to the journal; its environment alone does not say so, for it is inherited.</summary>
    public static bool IsStandardOutput() => Leads(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), new FileInfo(StandardOutput).LinkTarget);

    /// <param name="stream">Of the form <c>device:inode</c>, as systemd sets it.</param>
    /// <param name="standardOutput">Of the form <c>socket:[inode]</c>, as the kernel shows a socket.</param>
    public static bool Leads(string? stream, string? standardOutput) =>
        stream?.Split(':') is [{ Length: > 0 }, { Length: > 0 } inode] && standardOutput == $"socket:[{inode}]";

    /// <summary>Waits as long as the journal is busy.</summary>
    /// <returns>False: it did not take the line.</returns>
    public bool Send(ReadOnlySpan<byte> entry)
    {
        try
        {
            _socket.SendTo(entry, SocketFlags.None, _journald);
            return true;
        }
        catch (SocketException)
        {
            // Away or too large: the line is not lost, it has another way.
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();
}
