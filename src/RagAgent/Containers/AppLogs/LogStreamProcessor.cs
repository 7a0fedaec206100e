namespace RagAgent.Containers.AppLogs;

/// <summary>Processes one stream of a container's log from its opening to its end: takes bytes, passes lines to the writer.</summary>
internal sealed class LogStreamProcessor
{
    // How long the start of a line is held back if its end doesn't come: an app may close a stream in the middle of a line.
    private static readonly TimeSpan PartialLineTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(1);

    // Engines before 23 may silently stop sending to a follower when they rotate the log. So a stream that brought a lot and then went
    // silent is opened again. A stream that brought little isn't: for an app that rarely writes, each line would cost the engine a search.
    private const long StaleThresholdBytes = 1_000_000;
    private static readonly TimeSpan StaleTimeout = TimeSpan.FromSeconds(5);

    private readonly LogWriter _writer;
    private readonly TimeProvider _time;
    private readonly LogFrameReader _frameReader = new();
    private readonly LineAssembler _assembler = new();
    private readonly LogReplayFilter _replayFilter;
    private readonly Action<RawLogLine> _emit;
    private LogPosition _position;
    private bool _started;
    private long? _pendingSince;
    private long _bytesReceived;
    private long _lastReceivedAt;

    public LogStreamProcessor(LogWriter writer, TimeProvider time)
    {
        (_writer, _time, _position) = (writer, time, writer.Position);
        _replayFilter = new LogReplayFilter(_position);
        _emit = writer.Add;
    }

    public Memory<byte> FreeBuffer => _frameReader.FreeBuffer;

    /// <summary>The engine may have stopped sending to this stream. It should be opened again.</summary>
    public bool IsStale => TimeUntilStale() is { } left && left <= TimeSpan.Zero;

    /// <param name="length">How many bytes were written to <see cref="FreeBuffer"/>.</param>
    public void Process(int length)
    {
        (_bytesReceived, _lastReceivedAt) = (_bytesReceived + length, _time.GetTimestamp());
        _frameReader.Advance(length);
        while (_frameReader.TryRead(out var frame))
        {
            Process(frame);
            if (_writer.IsFull)
            {
                Commit();
            }
        }
        Commit();
        FlushDue();
    }

    /// <summary>Emits what is left, because the container has ended and the stream is complete.</summary>
    public void Complete()
    {
        _assembler.Flush(_emit);
        Commit();
    }

    /// <summary>How long until there is something to do even if no bytes arrive; null if there is nothing to do.</summary>
    public TimeSpan? TimeUntilDue()
    {
        var pendingDue = _pendingSince is { } since ? PartialLineTimeout - _time.GetElapsedTime(since) : (TimeSpan?)null;
        var due = ((TimeSpan?[])[pendingDue, _writer.TimeUntilDropReport(), TimeUntilStale()]).Min();
        return due < MinDelay ? MinDelay : due;
    }

    /// <summary>Emits what was held back long enough.</summary>
    public void FlushDue()
    {
        if (_pendingSince is { } since && _time.GetElapsedTime(since) >= PartialLineTimeout)
        {
            _assembler.Truncate(_emit);
            Commit();
        }
        if (_writer.TimeUntilDropReport() is { } due && due <= TimeSpan.Zero)
        {
            _writer.ReportDropped();
        }
    }

    private void Process(LogFrame frame)
    {
        if (frame.Source == LogStreamType.Engine || LogTimestamp.SplitPrefix(frame.Payload) is not { } message)
        {
            _writer.ReportEngineMessage(frame.Payload);
            return;
        }
        var (timestamp, text) = message;
        var isReplay = _replayFilter.IsReplay(timestamp);
        if (!_started)
        {
            _started = true;
            if (_replayFilter.HasGap)
            {
                _writer.ReportGap();
                _position = LogPosition.After(_position.NewestTimestamp);
            }
        }
        if (isReplay)
        {
            _assembler.Add(frame.Source, timestamp, text, static _ => { });   // so that the rest of a cut line is recognized
            return;
        }
        _assembler.Add(frame.Source, timestamp, text, _emit);
        _position = _position.Advance(timestamp, canMove: !_assembler.IsMidLine);
    }

    /// <summary>Writes the lines. The position moves only while nothing is held back, so that unwritten text is read again.</summary>
    private void Commit()
    {
        _pendingSince = _assembler.HasPendingLine ? _pendingSince ?? _time.GetTimestamp() : null;
        _writer.Write(_assembler.HasPendingLine ? null : _position);
    }

    private TimeSpan? TimeUntilStale() =>
        _bytesReceived > StaleThresholdBytes ? StaleTimeout - _time.GetElapsedTime(_lastReceivedAt) : null;
}
