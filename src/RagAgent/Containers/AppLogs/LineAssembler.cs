using System.Buffers;

namespace RagAgent.Containers.AppLogs;

/// <summary>A line as the app wrote it.</summary>
/// <param name="Timestamp">The engine's time of its beginning.</param>
/// <param name="Text">Without its end of line. Valid until the assembler is used again.</param>
/// <param name="IsComplete">False: it goes on, and how is not told.</param>
internal readonly record struct RawLogLine(long Timestamp, ReadOnlyMemory<byte> Text, bool IsComplete);

/// <summary>Puts lines together that the engine split, each stream by itself.</summary>
/// <remarks>
/// A message without an end of line goes on in the next one of its stream that has the very same time. One with another time is
/// a new line: some versions leave the end of line out of a split line's last piece, too.
/// </remarks>
internal sealed class LineAssembler
{
    /// <summary>Of a longer line this much is taken, and at least what a reader is shown.</summary>
    public const int MaxLineLength = 16 * 1024;

    private readonly PendingLine[] _pending = [new(), new(), new(), new()];

    /// <summary>A line is begun and has not been given out.</summary>
    public bool HasPendingLine => _pending.Any(o => o.State == PendingState.Collecting);

    /// <summary>The next message may belong to a line that has begun, given out or not.</summary>
    public bool IsMidLine => _pending.Any(o => o.State != PendingState.None);

    /// <param name="source">The stream.</param>
    /// <param name="timestamp">The message's time.</param>
    /// <param name="text">The message.</param>
    /// <param name="emit">Called for each line that is ready.</param>
    public void Add(LogSource source, long timestamp, ReadOnlyMemory<byte> text, Action<RawLogLine> emit)
    {
        var pending = _pending[(int)source];
        if (pending.State != PendingState.None && pending.Timestamp != timestamp)
        {
            Flush(pending, emit);
        }
        var endsLine = text.Span.EndsWith("\n"u8);
        var line = endsLine ? text[..^1] : text;
        switch (pending.State)
        {
            case PendingState.None when endsLine:
                emit(new RawLogLine(timestamp, line, true));
                return;
            case PendingState.None:
                pending.Start(timestamp, line.Span);
                break;
            case PendingState.Collecting:
                pending.Text.Write(line.Span);
                break;
        }
        if (endsLine)
        {
            Flush(pending, emit);
        }
        else if (pending.State == PendingState.Collecting && pending.Text.WrittenCount >= MaxLineLength)
        {
            Truncate(pending, emit);
        }
    }

    /// <summary>Nothing more comes: what is begun is a line.</summary>
    public void Flush(Action<RawLogLine> emit)
    {
        foreach (var pending in _pending)
        {
            Flush(pending, emit);
        }
    }

    /// <summary>Gives out what is begun, and drops what may still come of it.</summary>
    public void Truncate(Action<RawLogLine> emit)
    {
        foreach (var pending in _pending.Where(o => o.State == PendingState.Collecting))
        {
            Truncate(pending, emit);
        }
    }

    private static void Flush(PendingLine pending, Action<RawLogLine> emit)
    {
        if (pending.State == PendingState.Collecting)
        {
            emit(new RawLogLine(pending.Timestamp, pending.Text.WrittenMemory, true));
        }
        pending.State = PendingState.None;
    }

    private static void Truncate(PendingLine pending, Action<RawLogLine> emit)
    {
        emit(new RawLogLine(pending.Timestamp, pending.Text.WrittenMemory, false));
        pending.State = PendingState.Discarding;
    }

    private enum PendingState
    {
        None,
        Collecting,

        /// <summary>The line was given out; its rest goes.</summary>
        Discarding,
    }

    private sealed class PendingLine
    {
        public PendingState State { get; set; }
        public long Timestamp { get; private set; }
        public ArrayBufferWriter<byte> Text { get; } = new();

        public void Start(long timestamp, ReadOnlySpan<byte> text)
        {
            (State, Timestamp) = (PendingState.Collecting, timestamp);
            Text.ResetWrittenCount();
            Text.Write(text);
        }
    }
}
