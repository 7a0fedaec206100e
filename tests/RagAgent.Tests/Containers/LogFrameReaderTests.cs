using System.Buffers.Binary;
using System.Text;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public class LogFrameReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(1000)]
    public void Frames_are_read_whatever_pieces_they_arrive_in(int piece)
    {
        byte[] stream = [.. Frame(1, "one\n"), .. Frame(2, "two"), .. Frame(1, ""), .. Frame(3, "engine"), .. Frame(1, new string('x', 16415))];

        Assert.Equal(
            [
                (LogStreamType.StandardOutput, "one\n"),
                (LogStreamType.StandardError, "two"),
                (LogStreamType.StandardOutput, ""),
                (LogStreamType.Engine, "engine"),
                (LogStreamType.StandardOutput, new string('x', 16415)),
            ],
            Read(stream, piece));
    }

    [Fact]
    public void An_oversized_frame_is_cut_and_does_not_disturb_the_next_one()
    {
        var read = Read([.. Frame(1, new string('x', 200_000)), .. Frame(2, "next")], 5000);

        Assert.Equal([LogStreamType.StandardOutput, LogStreamType.StandardError], read.Select(f => f.Source));
        Assert.InRange(read[0].Text.Length, 16 * 1024, 64 * 1024);
        Assert.Equal("next", read[1].Text);
    }

    [Fact]
    public void Bytes_that_are_not_a_frame_are_rejected()
    {
        var text = "HTTP/1.1 500 Internal Server Error\r\n"u8.ToArray();

        Assert.Throws<InvalidDataException>(() => Read(text, 100));
    }

    internal static byte[] Frame(byte source, string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        var header = new byte[8];
        header[0] = source;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), payload.Length);
        return [.. header, .. payload];
    }

    private static List<(LogStreamType Source, string Text)> Read(byte[] stream, int piece)
    {
        var reader = new LogFrameReader();
        var read = new List<(LogStreamType, string)>();
        for (var from = 0; from < stream.Length;)
        {
            var free = reader.FreeBuffer;
            var length = Math.Min(Math.Min(piece, free.Length), stream.Length - from);
            Assert.NotEqual(0, length);
            stream.AsMemory(from, length).CopyTo(free);
            from += length;
            reader.Advance(length);
            while (reader.TryRead(out var frame))
            {
                read.Add((frame.Source, Encoding.UTF8.GetString(frame.Payload.Span)));
            }
        }
        return read;
    }
}
