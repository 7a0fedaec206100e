using CsCheck;
using RagAgent.Proxy.Forwarding;
using Xunit;
using static RagAgent.Tests.Support.WebSocketFrames;

namespace RagAgent.Tests.Proxy;

public class WebSocketMessageReaderTests
{
    [Fact]
    public void Any_messages_in_any_fragments_and_pieces_are_assembled() => Gen.Select(
        Gen.Select(Gen.OneOf(Gen.Int[0, 9], Gen.Int[120, 300], Gen.Int[65_500, 65_536]), Gen.Int[1, 3], Gen.Bool).Array[1, 4],
        Gen.Bool,
        Gen.OneOf(Gen.Int[1, 5], Gen.Int[1, 70_000])).Sample((messages, isClient, piece) =>
        {
            var contents = messages.Select((message, at) => Content(message.Item1, at)).ToArray();
            byte[] bytes = [.. messages.SelectMany((message, at) => Fragments(contents[at], message.Item2, message.Item3, isClient))];

            Assert.Equal(contents, ReadAll(new WebSocketMessageReader(), bytes, piece));
        }, iter: 100);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000_000)]
    public void A_message_that_is_too_long_is_skipped_and_the_next_one_is_read(int piece)
    {
        var tooLong = new byte[WebSocketMessageReader.MaxLength + 1];
        byte[] bytes = [.. FromClient(tooLong), .. FromClient([1, 2]), .. FromServer(tooLong), .. FromServer([3])];

        Assert.Equal([null, [1, 2], null, [3]], ReadAll(new WebSocketMessageReader(), bytes, piece));
    }

    [Fact]
    public void Fragments_without_end_take_no_memory()
    {
        var reader = new WebSocketMessageReader();
        var fragment = FromServer(new byte[1000], Continuation, isFinal: false);
        ReadAll(reader, FromServer([1], Binary, isFinal: false), 100);
        ReadAll(reader, [.. Enumerable.Repeat(fragment, 100).SelectMany(bytes => bytes)], 100_000);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var tooLong = 0;
        for (var i = 0; i < 10_000; i++)
        {
            ReadOnlySpan<byte> bytes = fragment;
            tooLong += reader.Read(ref bytes).Kind == WebSocketPartKind.TooLong ? 1 : 0;
        }

        var after = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal((10_000, before), (tooLong, after));
    }

    [Fact]
    public void Messages_of_a_session_are_read_without_allocating()
    {
        var reader = new WebSocketMessageReader();
        byte[] bytes = [.. FromClient(new byte[300]), .. FromServer(new byte[5000]), .. FromClient([], Pong)];
        Read();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            Read();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Read()
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(3);
            ReadOnlySpan<byte> first = bytes.AsSpan(0, 3);
            while (!first.IsEmpty)
            {
                reader.Read(ref first);
            }
            while (!rest.IsEmpty)
            {
                reader.Read(ref rest);
                reader.Trim();
            }
        }
    }

    [Fact]
    public void Text_compressed_messages_and_stray_fragments_are_unreadable()
    {
        var compressed = FromServer([1]);
        compressed[0] |= 0x40;
        foreach (var bytes in (byte[][])[FromClient([1], Text), compressed, FromServer([1], Continuation)])
        {
            ReadOnlySpan<byte> rest = bytes;
            Assert.Equal(WebSocketPartKind.Unreadable, new WebSocketMessageReader().Read(ref rest).Kind);
        }
    }

    [Fact]
    public void It_knows_when_a_frame_and_when_a_message_can_be_sent()
    {
        var reader = new WebSocketMessageReader();
        Assert.Equal((true, true), State());
        ReadAll(reader, FromServer([1, 2], Binary, isFinal: false), 100);
        Assert.Equal((true, false), State());
        ReadAll(reader, FromServer([], Ping), 100);
        Assert.Equal((true, false), State());
        ReadAll(reader, FromServer([1, 2], Continuation)[..3], 100);
        Assert.Equal((false, false), State());
        ReadAll(reader, FromServer([1, 2], Continuation)[3..], 100);
        Assert.Equal((true, true), State());

        (bool, bool) State() => (reader.IsBetweenFrames, reader.IsBetweenMessages);
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() => Gen.Byte.Array[0, 200].Array[0, 10].Sample(pieces =>
    {
        var reader = new WebSocketMessageReader();
        foreach (var piece in pieces)
        {
            ReadAll(reader, piece, 50);
        }
    });

    /// <returns>Each message; null for one that is too long or unreadable.</returns>
    private static List<byte[]?> ReadAll(WebSocketMessageReader reader, byte[] bytes, int piece)
    {
        var messages = new List<byte[]?>();
        for (var at = 0; at < bytes.Length; at += piece)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            while (!rest.IsEmpty)
            {
                var part = reader.Read(ref rest);
                if (part.Kind == WebSocketPartKind.Message)
                {
                    messages.Add(part.Message.ToArray());
                }
                else if (part.Kind is WebSocketPartKind.TooLong or WebSocketPartKind.Unreadable && reader.IsBetweenMessages)
                {
                    messages.Add(null);
                }
                reader.Trim();
            }
        }
        return messages;
    }

    private static byte[] Content(int length, int seed) => [.. Enumerable.Range(seed, length).Select(value => (byte)(value * 7))];

    /// <summary>The message in so many frames, with a ping before each of them if wanted.</summary>
    private static IEnumerable<byte> Fragments(byte[] content, int count, bool withPings, bool isClient)
    {
        var size = (content.Length / count) + 1;
        for (var i = 0; i < count; i++)
        {
            var payload = content.AsSpan(Math.Min(i * size, content.Length));
            payload = payload[..Math.Min(size, payload.Length)];
            var opcode = i == 0 ? Binary : Continuation;
            var frame = isClient ? FromClient(payload, opcode, i == count - 1) : FromServer(payload, opcode, i == count - 1);
            foreach (var value in withPings ? [.. FromClient([1, 2, 3], Ping), .. frame] : frame)
            {
                yield return value;
            }
        }
    }
}
