using System.Buffers;

namespace RagAgent.Containers.AppLogs;

/// <summary>Joins the lines that the engine split, separately for each stream.</summary>
/// <remarks>
/// A message without a line break continues in the next message of its stream that has exactly the same timestamp. A message with
/// another timestamp is a new line: some engine versions also omit the line break after the last piece of a split line.
/// </remarks>
internal sealed class LineAssembler
{
    /// <summary>In bytes. Longer lines are cut here. Must be at least what <see cref="LogLineSanitizer"/> shows.</summary>
    public const int MaxLineLength = 16 * 1024;

    private readonly PendingLine[] _pending = [new(), new(), new(), new()];

    /// <summary>A line has started and was not emitted yet.</summary>
    public bool HasPendingLine => _pending.Any(line => line.State == PendingState.Collecting);

    /// <summary>The next message may belong to a line that has started, emitted or not.</summary>
    public bool IsMidLine => _pending.Any(line => line.State != PendingState.None);

    /// <param name="source">The message's stream.</param>
    /// <param name="timestamp">The message's timestamp, in nanoseconds since 1970.</param>
    /// <param name="text">The message.</param>
    /// <param name="emit">Called for each line that is ready.</param>
    public void Add(LogStreamType source, long timestamp, ReadOnlyMemory<byte> text, Action<RawLogLine> emit)
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

    /// <summary>Emits what was collected as lines, because no more messages will come.</summary>
    public void Flush(Action<RawLogLine> emit)
    {
        foreach (var pending in _pending)
        {
            Flush(pending, emit);
        }
    }

    /// <summary>Emits what was collected as cut lines. Their rest will be dropped.</summary>
    public void Truncate(Action<RawLogLine> emit)
    {
        foreach (var pending in _pending.Where(line => line.State == PendingState.Collecting))
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

        /// <summary>The line was emitted and its rest is dropped.</summary>
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
