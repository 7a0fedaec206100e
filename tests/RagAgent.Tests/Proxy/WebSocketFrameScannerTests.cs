using CsCheck;
using RagAgent.Proxy.Forwarding;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The scanner finds messages among the frames of a WebSocket, in whatever pieces they arrive.</summary>
public class WebSocketFrameScannerTests
{
    private const byte Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    [Theory]
    [InlineData(Text, true)]
    [InlineData(Binary, true)]
    [InlineData(Continuation, true)]
    [InlineData(Ping, false)]
    [InlineData(Pong, false)]
    [InlineData(Close, false)]
    [InlineData(3, false)]
    [InlineData(11, false)]
    public void Message_frames_are_detected_and_control_frames_are_not(byte opcode, bool isMessage)
    {
        foreach (var length in (int[])[0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
        {
            foreach (var isMasked in (bool[])[true, false])
            {
                Assert.Equal(isMessage, new WebSocketFrameScanner().Read(Frame(opcode, length, isMasked)));
            }
        }
    }

    [Fact]
    public void Detection_does_not_depend_on_where_the_bytes_are_split()
    {
        byte[] bytes =
        [
            .. Frame(Pong, 4), .. Frame(Text, 5), .. Frame(Ping, 0), .. Frame(Binary, 300), .. Frame(Pong, 125), .. Frame(Close, 2),
        ];
        var marks = MessageFlags((Pong, 4), (Text, 5), (Ping, 0), (Binary, 300), (Pong, 125), (Close, 2));

        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second += 7)
            {
                var scanner = new WebSocketFrameScanner();
                Assert.Equal(marks.AsSpan(..first).Contains(true), scanner.Read(bytes.AsSpan(..first)));
                Assert.Equal(marks.AsSpan(first..second).Contains(true), scanner.Read(bytes.AsSpan(first..second)));
                Assert.Equal(marks.AsSpan(second..).Contains(true), scanner.Read(bytes.AsSpan(second..)));
            }
        }
    }

    [Fact]
    public void Read_byte_by_byte_exactly_the_bytes_of_messages_are_detected()
    {
        byte[] bytes = [.. Frame(Ping, 3), .. Frame(Text, 126), .. Frame(Pong, 0), .. Frame(Continuation, 2)];
        var scanner = new WebSocketFrameScanner();

        Assert.Equal(MessageFlags((Ping, 3), (Text, 126), (Pong, 0), (Continuation, 2)), bytes.Select(b => scanner.Read([b])));
    }

    [Fact]
    public void A_message_of_more_than_4_GiB_is_followed_to_its_end()
    {
        var scanner = new WebSocketFrameScanner();
        var piece = new byte[1 << 30];
        Assert.True(scanner.Read([0x82, 0x7F, 0, 0, 0, 1, 0, 0, 0, 1]));   // unmasked, 4 GiB and a byte

        for (var i = 0; i < 4; i++)
        {
            Assert.True(scanner.Read(piece));
        }
        Assert.True(scanner.Read([0]));
        Assert.False(scanner.Read(Frame(Pong, 4)));
        Assert.True(scanner.Read(Frame(Text, 1)));
    }

    [Fact]
    public void Empty_input_contains_no_message() => Assert.False(new WebSocketFrameScanner().Read([]));

    [Fact]
    public void Any_frames_in_any_pieces_are_detected_correctly() => Gen.Select(
        Gen.Select(
            Gen.OneOf<byte>(Continuation, Text, Binary, Close, Ping, Pong),
            Gen.OneOf(Gen.Int[0, 8], Gen.Int[120, 135], Gen.Int[65_500, 65_600]),
            Gen.Bool).Array[1, 6],
        Gen.Int[1, 70_000].Array[0, 12]).Sample((frames, pieces) =>
        {
            byte[] bytes = [.. frames.SelectMany(f => Frame(f.Item1, f.Item2, f.Item3))];
            bool[] marks = [.. frames.SelectMany(f => Enumerable.Repeat(IsMessage(f.Item1), Frame(f.Item1, f.Item2, f.Item3).Length))];
            var scanner = new WebSocketFrameScanner();
            var start = 0;
            foreach (var piece in pieces.Append(int.MaxValue))
            {
                var end = Math.Min(bytes.Length, start + Math.Min(piece, bytes.Length));
                Assert.Equal(marks.AsSpan(start..end).Contains(true), scanner.Read(bytes.AsSpan(start..end)));
                start = end;
            }
        });

    [Fact]
    public void Arbitrary_bytes_never_throw() => Gen.Byte.Array[0, 200].Array[0, 10].Sample(pieces =>
    {
        var scanner = new WebSocketFrameScanner();
        foreach (var piece in pieces)
        {
            scanner.Read(piece);
        }
    });

    private static bool IsMessage(byte opcode) => opcode is Continuation or Text or Binary;

    private static bool[] MessageFlags(params (byte Opcode, int Length)[] frames) =>
        [.. frames.SelectMany(f => Enumerable.Repeat(IsMessage(f.Opcode), Frame(f.Opcode, f.Length).Length))];

    /// <summary>A frame as in RFC 6455, 5.2. Its payload is full of bytes that look like a header.</summary>
    private static byte[] Frame(byte opcode, int length, bool isMasked = true)
    {
        var mask = isMasked ? 0x80 : 0;
        byte[] size = length switch
        {
            < 126 => [(byte)(mask | length)],
            < 65_536 => [(byte)(mask | 126), (byte)(length >> 8), (byte)length],
            _ => [(byte)(mask | 127), 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length],
        };
        return
        [
            (byte)(0x80 | opcode), .. size, .. isMasked ? (byte[])[0x81, 0x82, 0x89, 0x8A] : [],
            .. Enumerable.Range(0, length).Select(i => (byte)(i % 2 == 0 ? 0x81 : 0x8A)),
        ];
    }
}
