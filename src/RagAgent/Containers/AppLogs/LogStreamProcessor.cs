namespace RagAgent.Containers.AppLogs;

/// <summary>One stream of a container's log, from its opening to its end: takes bytes, gives lines to the writer.</summary>
internal sealed class LogStreamProcessor
{
    // How long the beginning of a line is held back when its end does not come: an app may close one of its streams in the middle of it.
    private static readonly TimeSpan PartialLineTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(1);

    // Engines before 23 may stop sending to a follower when they rotate the log, and say nothing: a stream that brought much and then went
    // silent is opened again. Not one that brought little, or an app that writes a line now and then would cost the engine a search for each.
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

    /// <summary>It may have gone deaf: what comes from now on is seen by another stream for sure.</summary>
    public bool IsStale => TimeUntilStale() is { } left && left <= TimeSpan.Zero;

    /// <param name="length">How many bytes were put into <see cref="FreeBuffer"/>.</param>
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

    /// <summary>The container has ended, and this was all of it.</summary>
    public void Complete()
    {
        _assembler.Flush(_emit);
        Commit();
    }

    /// <summary>In how long there is something to do without having taken anything; null: never.</summary>
    public TimeSpan? TimeUntilDue()
    {
        var pendingDue = _pendingSince is { } since ? PartialLineTimeout - _time.GetElapsedTime(since) : (TimeSpan?)null;
        var due = ((TimeSpan?[])[pendingDue, _writer.TimeUntilDropReport(), TimeUntilStale()]).Min();
        return due < MinDelay ? MinDelay : due;
    }

    /// <summary>Gives what was held back long enough.</summary>
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
        if (frame.Source == LogSource.Engine || LogTimestamp.SplitPrefix(frame.Payload) is not { } message)
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
            _assembler.Add(frame.Source, timestamp, text, static _ => { });   // so that the rest of a line that was cut is known as one
            return;
        }
        _assembler.Add(frame.Source, timestamp, text, _emit);
        _position = _position.Advance(timestamp, canMove: !_assembler.IsMidLine);
    }

    /// <summary>The place moves on only where nothing is held back: what is not written is read again.</summary>
    private void Commit()
    {
        _pendingSince = _assembler.HasPendingLine ? _pendingSince ?? _time.GetTimestamp() : null;
        _writer.Write(_assembler.HasPendingLine ? null : _position);
    }

    private TimeSpan? TimeUntilStale() => _bytesReceived > StaleThresholdBytes ? StaleTimeout - _time.GetElapsedTime(_lastReceivedAt) : null;
}
