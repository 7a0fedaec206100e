using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>Finds the uncaught exceptions of Streamlit scripts in the lines of one container's log.</summary>
internal sealed class TracebackReader
{
    private readonly Lock _lock = new();
    private UncaughtExceptions _found = UncaughtExceptions.None;
    private Position _position = Position.Outside;

    private enum Position
    {
        Outside,

        /// <summary>The traceback's last line, which names the exception, is still to come.</summary>
        InTraceback,

        /// <summary>The exception has been named. Another traceback may follow, of the exception that this one led to.</summary>
        AfterException,
    }

    public UncaughtExceptions Found
    {
        get
        {
            lock (_lock)
            {
                return _found;
            }
        }
    }

    /// <returns>Whether <see cref="Found"/> has changed.</returns>
    public bool Read(RawLogLine line, SecretVault vault)
    {
        lock (_lock)
        {
            var before = _found;
            var text = line.Text.Span;
            // Streamlit writes "Uncaught app execution", and before 1.50 "Uncaught app exception".
            var isInThread = text.IndexOf("in thread ScriptRunner"u8) >= 0;
            if (isInThread || text.IndexOf("Uncaught app ex"u8) >= 0)
            {
                _position = Position.InTraceback;
                _found = _found with
                {
                    Count = _found.Count + 1,
                    InScriptThread = _found.InScriptThread + (isInThread ? 1 : 0),
                    OfVisitors = _found.OfVisitors + 1,
                    LastLine = null,
                };
            }
            else if (_position != Position.Outside)
            {
                _position = PositionAfter(text);
                _found = _position == Position.AfterException ? _found with { LastLine = LogLineSanitizer.Sanitize(line, vault) } : _found;
            }
            return _found != before;
        }
    }

    public void ExcludeFromVisitors()
    {
        lock (_lock)
        {
            _found = _found with { OfVisitors = 0 };
        }
    }

    private Position PositionAfter(ReadOnlySpan<byte> line)
    {
        if (line.Trim((byte)' ').IsEmpty)
        {
            return _position;   // between two tracebacks
        }
        var isLink = line.StartsWith("Traceback"u8) || line.StartsWith("During handling"u8) || line.StartsWith("The above exception"u8);
        // A frame is indented, or in a box that the "rich" package draws.
        var isFrame = line[0] is (byte)' ' or (byte)'|' or 0xE2;
        return _position switch
        {
            _ when isLink => Position.InTraceback,
            Position.InTraceback when isFrame => Position.InTraceback,
            Position.InTraceback when !char.IsAsciiDigit((char)line[0]) => Position.AfterException,
            _ => Position.Outside,   // the next record of the log
        };
    }
}
