namespace RagAgent.Containers;

/// <summary>One stream of a container's log, from its opening to its end: takes bytes, gives lines to the writer.</summary>
internal sealed class LogSession
{
    // How long the beginning of a line is held back when its end does not come: an app may close one of its streams in the middle of it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    // Engines before 23 may stop sending to a follower when they rotate the log, and say nothing: a stream that brought much and then went
    // silent is opened again. Not one that brought little, or an app that writes a line now and then would cost the engine a search for each.
    private const long Much = 1_000_000;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly LogWriter _writer;
    private readonly TimeProvider _time;
    private readonly LogFrames _frames = new();
    private readonly LineAssembler _assembler = new();
    private readonly LogResumption _resumption;
    private readonly Action<RawLine> _give;
    private LogPlace _place;
    private bool _begun;
    private long? _openSince;
    private long _taken;
    private long _takenAt;

    public LogSession(LogWriter writer, TimeProvider time)
    {
        (_writer, _time, _place) = (writer, time, writer.Place);
        _resumption = new LogResumption(_place);
        _give = writer.Add;
    }

    public Memory<byte> Free => _frames.Free;

    /// <summary>It may have gone deaf: what comes from now on is seen by another stream for sure.</summary>
    public bool IsStale => StaleIn() is { } left && left <= TimeSpan.Zero;

    /// <param name="length">How many bytes were put into <see cref="Free"/>.</param>
    public void Take(int length)
    {
        (_taken, _takenAt) = (_taken + length, _time.GetTimestamp());
        _frames.Filled(length);
        while (_frames.TryNext(out var frame))
        {
            Take(frame);
            if (_writer.IsFull)
            {
                Write();
            }
        }
        Write();
        GiveDue();
    }

    /// <summary>The container has ended, and this was all of it.</summary>
    public void End()
    {
        _assembler.Finish(_give);
        Write();
    }

    /// <summary>In how long there is something to do without having taken anything; null: never.</summary>
    public TimeSpan? DueIn()
    {
        var open = _openSince is { } since ? Patience - _time.GetElapsedTime(since) : (TimeSpan?)null;
        var due = ((TimeSpan?[])[open, _writer.LeftOutDueIn(), StaleIn()]).Min();
        return due < Shortest ? Shortest : due;
    }

    /// <summary>Gives what was held back long enough.</summary>
    public void GiveDue()
    {
        if (_openSince is { } since && _time.GetElapsedTime(since) >= Patience)
        {
            _assembler.Cut(_give);
            Write();
        }
        if (_writer.LeftOutDueIn() is { } due && due <= TimeSpan.Zero)
        {
            _writer.TellLeftOut();
        }
    }

    private void Take(LogFrame frame)
    {
        if (frame.Source == LogSource.Engine || LogTime.Split(frame.Payload) is not { } message)
        {
            _writer.TellEngine(frame.Payload);
            return;
        }
        var (at, text) = message;
        var handled = _resumption.WasHandled(at);
        if (!_begun)
        {
            _begun = true;
            if (_resumption.IsLost)
            {
                _writer.TellLost();
                _place = LogPlace.After(_place.Newest);
            }
        }
        if (handled)
        {
            _assembler.Add(frame.Source, at, text, static _ => { });   // so that the rest of a line that was cut is known as one
            return;
        }
        _assembler.Add(frame.Source, at, text, _give);
        _place = _place.Count(at, mayMove: !_assembler.IsInside);
    }

    /// <summary>The place moves on only where nothing is held back: what is not written is read again.</summary>
    private void Write()
    {
        _openSince = _assembler.HasOpen ? _openSince ?? _time.GetTimestamp() : null;
        _writer.Write(_assembler.HasOpen ? null : _place);
    }

    private TimeSpan? StaleIn() => _taken > Much ? Silence - _time.GetElapsedTime(_takenAt) : null;
}
