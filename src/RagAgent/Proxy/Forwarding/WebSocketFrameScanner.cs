namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Follows the frames (RFC 6455) that one side of a WebSocket sends, in pieces of any size, and tells data frames from control frames.
/// Reads only frame headers.
/// </summary>
/// <remarks>Ignores protocol violations: the other side closes such a connection.</remarks>
internal struct WebSocketFrameScanner
{
    private const int Continuation = 0, Text = 1, Binary = 2;

    private FramePart _expected;
    private bool _isData;
    private int _lengthBytesLeft;   // of the extended length
    private int _maskBytesLeft;
    private ulong _length;
    private ulong _payloadBytesLeft;

    private enum FramePart
    {
        Opcode,
        Length,
        HeaderRest,
        Payload,
    }

    /// <summary>The last byte that was read ended a frame, or none was read yet.</summary>
    public readonly bool IsBetweenFrames => _expected == FramePart.Opcode;

    /// <returns>Whether any of the bytes belongs to a text or binary message. Pings, pongs and closes don't count.</returns>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        var foundData = false;
        while (!bytes.IsEmpty)
        {
            if (_expected == FramePart.Payload)
            {
                var count = (int)Math.Min(_payloadBytesLeft, (ulong)bytes.Length);
                _payloadBytesLeft -= (ulong)count;
                bytes = bytes[count..];
                foundData |= _isData;
                AdvanceFrame();
                continue;
            }
            ReadHeader(bytes[0]);
            bytes = bytes[1..];
            foundData |= _isData;
        }
        return foundData;
    }

    private void ReadHeader(byte headerByte)
    {
        switch (_expected)
        {
            case FramePart.Opcode:
                _isData = (headerByte & 0x0F) is Continuation or Text or Binary;
                _expected = FramePart.Length;
                return;
            case FramePart.Length:
                var length = headerByte & 0x7F;
                (_lengthBytesLeft, _length) = length switch { 126 => (2, 0UL), 127 => (8, 0UL), _ => (0, (ulong)length) };
                _maskBytesLeft = (headerByte & 0x80) != 0 ? 4 : 0;
                _expected = FramePart.HeaderRest;
                break;
            case FramePart.HeaderRest when _lengthBytesLeft > 0:
                _lengthBytesLeft--;
                _length = (_length << 8) | headerByte;
                break;
            default:
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
