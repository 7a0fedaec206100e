namespace RagAgent.Configuration.Json;

/// <summary>A place in the file, both from 1. Columns count characters, not bytes.</summary>
internal readonly record struct TextPosition(int Line, int Column);

/// <summary>Converts byte offsets into positions.</summary>
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
        foreach (var value in text[_lineStarts[line]..Math.Min(offset, text.Length)])
        {
            if (!IsContinuation(value))
            {
                column++;
            }
        }

        return new TextPosition(line + 1, column);
    }

    private static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;
}
