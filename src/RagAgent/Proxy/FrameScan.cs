namespace RagAgent.Proxy;

/// <summary>Follows the frames (RFC 6455) that one side of a WebSocket sends, piece by piece as they come, and tells data from control. Looks at their headers alone.</summary>
/// <remarks>What breaks the protocol is not noticed: the other side ends such a connection.</remarks>
internal struct FrameScan
{
    private const int Continuation = 0, Text = 1, Binary = 2;

    private Expected _next;
    private bool _isData;
    private int _ofLength;   // bytes of the extended length still to come
    private int _ofMask;
    private ulong _length;
    private ulong _payload;  // bytes still to come

    private enum Expected
    {
        Opcode,
        Length,
        Rest,
        Payload,
    }

    /// <returns>Whether any byte of these belongs to a text or binary message; pings, pongs and closes don't count.</returns>
    public bool Read(ReadOnlySpan<byte> bytes)
    {
        var found = false;
        while (!bytes.IsEmpty)
        {
            if (_next == Expected.Payload)
            {
                var here = (int)Math.Min(_payload, (ulong)bytes.Length);
                _payload -= (ulong)here;
                bytes = bytes[here..];
                found |= _isData;
                EndOfFrame();
                continue;
            }
            ReadHeader(bytes[0]);
            bytes = bytes[1..];
            found |= _isData;
        }
        return found;
    }

    private void ReadHeader(byte next)
    {
        switch (_next)
        {
            case Expected.Opcode:
                _isData = (next & 0x0F) is Continuation or Text or Binary;
                _next = Expected.Length;
                return;
            case Expected.Length:
                var length = next & 0x7F;
                (_ofLength, _length) = length switch { 126 => (2, 0UL), 127 => (8, 0UL), _ => (0, (ulong)length) };
                _ofMask = (next & 0x80) != 0 ? 4 : 0;
                _next = Expected.Rest;
                break;
            case Expected.Rest when _ofLength > 0:
                _ofLength--;
                _length = (_length << 8) | next;
                break;
            default:
                _ofMask--;
                break;
        }
        if (_ofLength == 0 && _ofMask == 0)
        {
            (_payload, _next) = (_length, Expected.Payload);
            EndOfFrame();
        }
    }

    private void EndOfFrame() => _next = _payload == 0 ? Expected.Opcode : Expected.Payload;
}
