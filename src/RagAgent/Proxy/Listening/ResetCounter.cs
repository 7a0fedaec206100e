namespace RagAgent.Proxy.Listening;

/// <summary>
/// Counts the streams that a client of HTTP/2 cancels (RST_STREAM).
/// Reads frame headers only, and leaves protocol errors to the server.
/// </summary>
/// <param name="most">How many are allowed within a window.</param>
/// <param name="window">How long a window lasts. The next one starts with the first reset after it.</param>
/// <param name="time">Measures the window.</param>
internal sealed class ResetCounter(int most, TimeSpan window, TimeProvider time)
{
    // RFC 9113, 3.4, 4.1 and 6.4.
    private const int Preface = 24;
    private const int HeaderSize = 9;
    private const int ResetStream = 3;

    private readonly byte[] _header = new byte[HeaderSize];
    private int _headerRead;
    private int _skip = Preface;
    private int _count;
    private long _start;

    /// <summary>Reads the next bytes of the connection, the preface first, in pieces of any size.</summary>
    /// <returns>False: there were more resets than allowed.</returns>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                var skipped = Math.Min(_skip, bytes.Length);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }
            var taken = Math.Min(HeaderSize - _headerRead, bytes.Length);
            bytes[..taken].CopyTo(_header.AsSpan(_headerRead));
            _headerRead += taken;
            bytes = bytes[taken..];
            if (_headerRead < HeaderSize)
            {
                continue;
            }
            _headerRead = 0;
            _skip = (_header[0] << 16) | (_header[1] << 8) | _header[2];
            if (_header[3] == ResetStream && !IsAllowed())
            {
                return false;
            }
        }
        return true;
    }

    private bool IsAllowed()
    {
        if (_count == 0 || time.GetElapsedTime(_start) > window)
        {
            _start = time.GetTimestamp();
            _count = 0;
        }
        return ++_count <= most;
    }
}
