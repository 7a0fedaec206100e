using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Listening;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Which resets of an HTTP/2 connection count, in whatever pieces its bytes arrive.</summary>
public class ResetCounterTests
{
    private const byte Data = 0, Headers = 1, Reset = 3, Ping = 6;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_limit_is_reached_at_the_same_byte_wherever_the_bytes_are_split()
    {
        // The payloads contain what looks like a reset.
        byte[] allowed =
        [
            .. Preface, .. Frame(Headers, 3), .. Frame(Reset, 4), .. Frame(Data, 300),
            .. Frame(Ping, 8), .. Frame(Data, 0), .. Frame(Reset, 4),
        ];
        byte[] bytes = [.. allowed, .. Frame(Reset, 4)];
        var last = allowed.Length + 9;   // the header alone decides

        for (var split = 0; split < last; split++)
        {
            var counter = new ResetCounter(2, Window, _time);
            Assert.True(counter.Read(bytes.AsSpan(..split)));
            Assert.True(counter.Read(bytes.AsSpan(split..(last - 1))));
            Assert.False(counter.Read(bytes.AsSpan((last - 1)..)));
        }
    }

    [Fact]
    public void Byte_by_byte_the_same_resets_count()
    {
        byte[] bytes = [.. Preface, .. Frame(Reset, 4), .. Frame(Data, 70_000), .. Frame(Reset, 4)];
        var counter = new ResetCounter(1, Window, _time);

        Assert.Equal(bytes.Length - 5, bytes.TakeWhile(b => counter.Read([b])).Count());
    }

    [Fact]
    public void A_window_that_is_over_counts_no_more()
    {
        var counter = new ResetCounter(2, Window, _time);
        Assert.True(counter.Read([.. Preface, .. Frame(Reset, 4), .. Frame(Reset, 4)]));

        _time.Advance(Window + TimeSpan.FromMilliseconds(1));
        Assert.True(counter.Read([.. Frame(Reset, 4), .. Frame(Reset, 4)]));

        _time.Advance(Window);
        Assert.False(counter.Read(Frame(Reset, 4)));
    }

    private static byte[] Frame(byte type, int length) =>
        [(byte)(length >> 16), (byte)(length >> 8), (byte)length, type, 0, 0, 0, 0, 1, .. Enumerable.Repeat(Reset, length)];
}
