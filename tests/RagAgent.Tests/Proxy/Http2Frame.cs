using System.Buffers.Binary;

namespace RagAgent.Tests.Proxy;

/// <summary>An HTTP/2 frame (RFC 9113, 4.1).</summary>
internal sealed record Http2Frame(byte Type, byte Flags, int Stream, byte[] Payload)
{
    public const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8, Continuation = 9;
    public const byte EndStream = 1, EndHeaders = 4;

    /// <summary>The error code of a RST_STREAM or GOAWAY frame.</summary>
    public int ErrorCode => BinaryPrimitives.ReadInt32BigEndian(Payload.AsSpan(Type == GoAway ? 4 : 0));
}
