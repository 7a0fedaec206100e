using System.Numerics;
using System.Runtime.InteropServices;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Follows the frames (RFC 6455) that one side of a WebSocket sends, in pieces of any size, and tells data frames from control frames.
/// </summary>
/// <remarks>Ignores protocol violations: the other side closes such a connection.</remarks>
internal struct WebSocketFrameScanner
{
    public const int Continuation = 0, Text = 1, Binary = 2;

    private FramePart _expected;
    private byte _firstByte;
    private int _lengthBytesLeft;   // of the extended length
    private int _maskBytesLeft;
    private ulong _length;
    private ulong _payloadBytesLeft;
    private uint _mask;   // the first byte of the next payload is masked with the lowest byte
    private uint _partMask;

    private enum FramePart
    {
        Opcode,
        Length,
        HeaderRest,
        Payload,
    }

    /// <summary>The last byte that was read ended a frame, or none was read yet.</summary>
    public readonly bool IsBetweenFrames => _expected == FramePart.Opcode;

    /// <summary>The frame belongs to a text or binary message. Pings, pongs and closes don't.</summary>
    public readonly bool IsData => Opcode is Continuation or Text or Binary;

    public readonly int Opcode => _firstByte & 0x0F;

    /// <summary>The frame is its message's last one.</summary>
    public readonly bool IsFinal => (_firstByte & 0x80) != 0;

    /// <summary>The frame is compressed, or uses another extension.</summary>
    public readonly bool UsesExtension => (_firstByte & 0x70) != 0;

    public readonly bool IsMasked => _partMask != 0;

    /// <returns>Whether any of the bytes belongs to a text or binary message. Pings, pongs and closes don't count.</returns>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        var foundData = false;
        while (!bytes.IsEmpty)
        {
            ReadPart(ref bytes);
            foundData |= IsData;
        }
        return foundData;
    }

    /// <summary>Reads up to the frame's end, or until the bytes are used up.</summary>
    /// <returns>What was read of the payload, masked as it came.</returns>
    public ReadOnlySpan<byte> ReadPart(ref ReadOnlySpan<byte> bytes)
    {
        do
        {
            if (_expected == FramePart.Payload)
            {
                var count = (int)Math.Min(_payloadBytesLeft, (ulong)bytes.Length);
                var payload = bytes[..count];
                bytes = bytes[count..];
                _payloadBytesLeft -= (ulong)count;
                _partMask = _mask;
                _mask = BitOperations.RotateRight(_mask, 8 * (count % sizeof(uint)));
                AdvanceFrame();
                return payload;
            }
            ReadHeader(bytes[0]);
            bytes = bytes[1..];
        }
        while (!bytes.IsEmpty && !IsBetweenFrames);
        return [];
    }

    /// <param name="payload">A copy of what <see cref="ReadPart"/> has just returned.</param>
    public readonly void Unmask(Span<byte> payload)
    {
        if (!IsMasked)
        {
            return;
        }
        var words = MemoryMarshal.Cast<byte, uint>(payload);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] ^= _partMask;
        }
        for (var i = words.Length * sizeof(uint); i < payload.Length; i++)
        {
            payload[i] ^= (byte)(_partMask >> (8 * (i % sizeof(uint))));
        }
    }

    private void ReadHeader(byte headerByte)
    {
        switch (_expected)
        {
            case FramePart.Opcode:
                _firstByte = headerByte;
                _expected = FramePart.Length;
                return;
            case FramePart.Length:
                var length = headerByte & 0x7F;
                (_lengthBytesLeft, _length) = length switch { 126 => (2, 0UL), 127 => (8, 0UL), _ => (0, (ulong)length) };
                _maskBytesLeft = (headerByte & 0x80) != 0 ? sizeof(uint) : 0;
                (_mask, _partMask) = (0, 0);
                _expected = FramePart.HeaderRest;
                break;
            case FramePart.HeaderRest when _lengthBytesLeft > 0:
                _lengthBytesLeft--;
                _length = (_length << 8) | headerByte;
                break;
            default:
                _mask |= (uint)headerByte << (8 * (sizeof(uint) - _maskBytesLeft));
                _maskBytesLeft--;
                break;
        }
        if (_lengthBytesLeft == 0 && _maskBytesLeft == 0)
        {
            (_payloadBytesLeft, _expected) = (_length, FramePart.Payload);
            AdvanceFrame();
        }
    }

    private void AdvanceFrame() => _expected = _payloadBytesLeft == 0 ? FramePart.Opcode : FramePart.Payload;
}
