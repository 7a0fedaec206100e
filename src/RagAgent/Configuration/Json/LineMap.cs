namespace RagAgent.Configuration.Json;

/// <summary>Turns an offset in the bytes of the file into a line and a column.</summary>
internal sealed class LineMap
{
    private readonly List<int> _lineStarts = [0];

    public LineMap(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'\n')
            {
                _lineStarts.Add(i + 1);
            }
        }
    }

    public TextPosition PositionOf(ReadOnlySpan<byte> text, int offset)
    {
        var found = _lineStarts.BinarySearch(offset);
        var line = found >= 0 ? found : ~found - 1;
        var column = 1;
        foreach (var unit in text[_lineStarts[line]..Math.Min(offset, text.Length)])
        {
            if (!IsContinuation(unit))
            {
                column++;
            }
        }

        return new TextPosition(line + 1, column);
    }

    private static bool IsContinuation(byte unit) => (unit & 0xC0) == 0x80;
}
