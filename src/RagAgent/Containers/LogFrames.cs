using System.Buffers.Binary;

namespace RagAgent.Containers;

/// <summary>Where a frame comes from, by the engine's numbers.</summary>
internal enum LogSource : byte
{
    StandardInput = 0,
    StandardOutput = 1,
    StandardError = 2,

    /// <summary>The engine itself: it could not read the log.</summary>
    Engine = 3,
}

/// <summary>One message of the engine's stream.</summary>
/// <param name="Source">Which stream of the container it is of.</param>
/// <param name="Payload">A time, a blank, the text. Valid until more is read.</param>
internal readonly record struct LogFrame(LogSource Source, ReadOnlyMemory<byte> Payload);

/// <summary>Takes the engine's stream apart into frames, whatever pieces it arrives in.</summary>
/// <remarks>
/// A frame is the unit that counts: its end is all that tells a line that the engine split from one that is whole. Docker.DotNet's
/// own reader hides it.
/// </remarks>
internal sealed class LogFrames
{
    private const int HeaderLength = 8;

    // The engine splits lines at 16 KB. What is larger comes from no engine known, and is taken by its beginning.
    private const int Capacity = 32 * 1024;
    private readonly byte[] _buffer = new byte[Capacity];
    private int _from;
    private int _to;
    private int _toSkip;

    /// <summary>Where to read the next bytes to; never empty once <see cref="TryNext"/> has returned false.</summary>
    public Memory<byte> Free
    {
        get
        {
            if (_from > 0)
            {
                _buffer.AsSpan(_from, _to - _from).CopyTo(_buffer);
                (_from, _to) = (0, _to - _from);
            }
            return _buffer.AsMemory(_to);
        }
    }

    public void Filled(int count) => _to += count;

    /// <exception cref="InvalidDataException">These are no frames.</exception>
    public bool TryNext(out LogFrame frame)
    {
        frame = default;
        var skipped = Math.Min(_toSkip, _to - _from);
        _from += skipped;
        _toSkip -= skipped;
        if (_toSkip > 0 || _to - _from < HeaderLength)
        {
            return false;
        }
        var header = _buffer.AsSpan(_from, HeaderLength);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (header[0] > (byte)LogSource.Engine || length > int.MaxValue)
        {
            throw new InvalidDataException("The engine's log stream has lost its frames.");
        }
        var here = (int)Math.Min(length, Capacity - HeaderLength);
        if (_to - _from - HeaderLength < here)
        {
            return false;
        }
        frame = new LogFrame((LogSource)header[0], _buffer.AsMemory(_from + HeaderLength, here));
        _from += HeaderLength + here;
        _toSkip = (int)length - here;
        return true;
    }
}
