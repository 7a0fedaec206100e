using System.Buffers.Binary;

namespace RagAgent.Containers.AppLogs;

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
internal sealed class LogFrameReader
{
    private const int HeaderLength = 8;

    // The engine splits lines at 16 KB. What is larger comes from no engine known, and is taken by its beginning.
    private const int Capacity = 32 * 1024;
    private readonly byte[] _buffer = new byte[Capacity];
    private int _start;
    private int _end;
    private int _bytesToSkip;

    /// <summary>Where to read the next bytes to; never empty once <see cref="TryRead"/> has returned false.</summary>
    public Memory<byte> FreeBuffer
    {
        get
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            return _buffer.AsMemory(_end);
        }
    }

    public void Advance(int count) => _end += count;

    /// <exception cref="InvalidDataException">These are no frames.</exception>
    public bool TryRead(out LogFrame frame)
    {
        frame = default;
        var skipped = Math.Min(_bytesToSkip, _end - _start);
        _start += skipped;
        _bytesToSkip -= skipped;
        if (_bytesToSkip > 0 || _end - _start < HeaderLength)
        {
            return false;
        }
        var header = _buffer.AsSpan(_start, HeaderLength);
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (header[0] > (byte)LogSource.Engine || length > int.MaxValue)
        {
            throw new InvalidDataException("The engine's log stream has lost its frames.");
        }
        var payloadLength = (int)Math.Min(length, Capacity - HeaderLength);
        if (_end - _start - HeaderLength < payloadLength)
        {
            return false;
        }
        frame = new LogFrame((LogSource)header[0], _buffer.AsMemory(_start + HeaderLength, payloadLength));
        _start += HeaderLength + payloadLength;
        _bytesToSkip = (int)length - payloadLength;
        return true;
    }
}
