using System.Buffers;

namespace RagAgent.Containers;

/// <summary>A line as the app wrote it.</summary>
/// <param name="At">The engine's time of its beginning.</param>
/// <param name="Text">Without its end of line. Valid until the assembler is used again.</param>
/// <param name="IsWhole">False: it goes on, and how is not told.</param>
internal readonly record struct RawLine(long At, ReadOnlyMemory<byte> Text, bool IsWhole);

/// <summary>Puts lines together that the engine split, each stream by itself.</summary>
/// <remarks>
/// A message without an end of line goes on in the next one of its stream that has the very same time. One with another time is
/// a new line: some versions leave the end of line out of a split line's last piece, too.
/// </remarks>
internal sealed class LineAssembler
{
    /// <summary>Of a longer line this much is taken, and at least what a reader is shown.</summary>
    public const int Enough = 16 * 1024;

    private readonly Open[] _open = [new(), new(), new(), new()];

    /// <summary>A line is begun and has not been given out.</summary>
    public bool HasOpen => _open.Any(o => o.State == OpenState.Collecting);

    /// <summary>The next message may belong to a line that has begun, given out or not.</summary>
    public bool IsInside => _open.Any(o => o.State != OpenState.None);

    /// <param name="source">The stream.</param>
    /// <param name="at">The message's time.</param>
    /// <param name="text">The message.</param>
    /// <param name="give">Called for each line that is ready.</param>
    public void Add(LogSource source, long at, ReadOnlyMemory<byte> text, Action<RawLine> give)
    {
        var open = _open[(int)source];
        if (open.State != OpenState.None && open.At != at)
        {
            Finish(open, give);
        }
        var ends = text.Span.EndsWith("\n"u8);
        var line = ends ? text[..^1] : text;
        switch (open.State)
        {
            case OpenState.None when ends:
                give(new RawLine(at, line, true));
                return;
            case OpenState.None:
                open.Begin(at, line.Span);
                break;
            case OpenState.Collecting:
                open.Text.Write(line.Span);
                break;
        }
        if (ends)
        {
            Finish(open, give);
        }
        else if (open.State == OpenState.Collecting && open.Text.WrittenCount >= Enough)
        {
            Cut(open, give);
        }
    }

    /// <summary>Nothing more comes: what is begun is a line.</summary>
    public void Finish(Action<RawLine> give)
    {
        foreach (var open in _open)
        {
            Finish(open, give);
        }
    }

    /// <summary>Gives out what is begun, and drops what may still come of it.</summary>
    public void Cut(Action<RawLine> give)
    {
        foreach (var open in _open.Where(o => o.State == OpenState.Collecting))
        {
            Cut(open, give);
        }
    }

    private static void Finish(Open open, Action<RawLine> give)
    {
        if (open.State == OpenState.Collecting)
        {
            give(new RawLine(open.At, open.Text.WrittenMemory, true));
        }
        open.State = OpenState.None;
    }

    private static void Cut(Open open, Action<RawLine> give)
    {
        give(new RawLine(open.At, open.Text.WrittenMemory, false));
        open.State = OpenState.Dropping;
    }

    private enum OpenState
    {
        None,
        Collecting,

        /// <summary>The line was given out; its rest goes.</summary>
        Dropping,
    }

    private sealed class Open
    {
        public OpenState State { get; set; }
        public long At { get; private set; }
        public ArrayBufferWriter<byte> Text { get; } = new();

        public void Begin(long at, ReadOnlySpan<byte> text)
        {
            (State, At) = (OpenState.Collecting, at);
            Text.ResetWrittenCount();
            Text.Write(text);
        }
    }
}
