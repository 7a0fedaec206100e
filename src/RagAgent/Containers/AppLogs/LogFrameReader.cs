using System.Buffers.Binary;

namespace RagAgent.Containers.AppLogs;

/// <summary>Splits the engine's stream into frames, whatever pieces it arrives in.</summary>
/// <remarks>
/// Frame boundaries matter: they are the only way to tell a line that the engine split from a complete one. Docker.DotNet's reader
/// hides them.
/// </remarks>
internal sealed class LogFrameReader
{
    private const int HeaderLength = 8;

    // The engine splits lines at 16 KB. No known engine sends larger frames; if one does, the start of the frame is used.
    private const int Capacity = 32 * 1024;
    private readonly byte[] _buffer = new byte[Capacity];
    private int _start;
    private int _end;
    private int _bytesToSkip;

    /// <summary>Where to put the next bytes. Never empty once <see cref="TryRead"/> has returned false.</summary>
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

    /// <exception cref="InvalidDataException">The bytes are not frames.</exception>
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
        if (header[0] > (byte)LogStreamType.Engine || length > int.MaxValue)
        {
            throw new InvalidDataException("The engine's log stream is not valid: a frame header was expected.");
        }
        var payloadLength = (int)Math.Min(length, Capacity - HeaderLength);
        if (_end - _start - HeaderLength < payloadLength)
        {
            return false;
        }
        frame = new LogFrame((LogStreamType)header[0], _buffer.AsMemory(_start + HeaderLength, payloadLength));
        _start += HeaderLength + payloadLength;
        _bytesToSkip = (int)length - payloadLength;
        return true;
    }
}
