using System.Buffers.Binary;

namespace RagAgent.Streamlit;

/// <summary>Reads the fields of one message in protobuf's wire format, without its schema. Never throws, whatever the bytes are.</summary>
/// <remarks>See docs/decisions/0023-the-gate-runs-a-session.md for why there is no generated code.</remarks>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5;
    private const int MaxVarintLength = 10;

    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The field's number, from 1.</summary>
    public int Field { get; private set; }

    /// <summary>The value of a number, an enumeration or a truth value; 0 for other fields.</summary>
    public ulong Number { get; private set; }

    /// <summary>The content of a text or an embedded message, or what there is of it. Empty for other fields.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Bytes were met that are not protobuf. The fields before them may be chance.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>The last field announced more bytes than there are.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Moves to the next field.</summary>
    /// <returns>False at the end, and at bytes that are not protobuf.</returns>
    public bool Read()
    {
        Field = 0;
        Number = 0;
        Bytes = [];
        if (_rest.IsEmpty)
        {
            return false;
        }
        if (!TryReadVarint(out var tag) || tag >> 3 is 0 or > int.MaxValue)
        {
            return Malformed();
        }
        Field = (int)(tag >> 3);
        return (tag & 7) switch
        {
            Varint => TryReadVarint(out var number) ? SetNumber(number) : Malformed(),
            Fixed64 when _rest.Length >= sizeof(ulong) => SetNumber(BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)))),
            Fixed32 when _rest.Length >= sizeof(uint) => SetNumber(BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)))),
            LengthDelimited => TryReadVarint(out var length) ? SetBytes(length) : Malformed(),
            _ => Malformed(),   // groups, which no current schema has
        };
    }

    private bool SetNumber(ulong number)
    {
        Number = number;
        return true;
    }

    private bool SetBytes(ulong length)
    {
        IsCut = length > (ulong)_rest.Length;
        Bytes = Take((int)Math.Min(length, (ulong)_rest.Length));
        return true;
    }

    private bool Malformed()
    {
        IsMalformed = true;
        _rest = [];
        return false;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (var index = 0; index < Math.Min(_rest.Length, MaxVarintLength); index++)
        {
            value |= (ulong)(_rest[index] & 0x7F) << (7 * index);
            if (_rest[index] < 0x80)
            {
                _rest = _rest[(index + 1)..];
                return true;
            }
        }
        return false;
    }
}
