namespace RagAgent.Tests.Support;

/// <summary>Frames as in RFC 6455, 5.2.</summary>
internal static class WebSocketFrames
{
    public const byte Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    /// <summary>A frame of a browser.</summary>
    public static byte[] FromClient(ReadOnlySpan<byte> payload, byte opcode = Binary, bool isFinal = true) =>
        Frame(payload, opcode, isFinal, [0x12, 0x34, 0xA5, 0xFF]);

    /// <summary>A frame of a server.</summary>
    public static byte[] FromServer(ReadOnlySpan<byte> payload, byte opcode = Binary, bool isFinal = true) =>
        Frame(payload, opcode, isFinal, []);

    private static byte[] Frame(ReadOnlySpan<byte> payload, byte opcode, bool isFinal, ReadOnlySpan<byte> mask)
    {
        var masked = mask.IsEmpty ? 0 : 0x80;
        var length = payload.Length;
        byte[] size = length switch
        {
            < 126 => [(byte)(masked | length)],
            < 65_536 => [(byte)(masked | 126), (byte)(length >> 8), (byte)length],
            _ => [(byte)(masked | 127), 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        var content = payload.ToArray();
        for (var i = 0; i < content.Length && !mask.IsEmpty; i++)
        {
            content[i] ^= mask[i % 4];
        }
        return [(byte)((isFinal ? 0x80 : 0) | opcode), .. size, .. mask, .. content];
    }
}
