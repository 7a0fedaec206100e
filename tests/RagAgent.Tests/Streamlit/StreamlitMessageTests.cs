using CsCheck;
using RagAgent.Streamlit;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Streamlit;

/// <summary>Messages that real Streamlit sent, and bytes that nobody sends.</summary>
public sealed class StreamlitMessageTests
{
    public static TheoryData<string, string> Recorded =>
    [
        ("plain", "RunBegan Other Element+ RunFinished(0) Other"),
        ("stop", "RunBegan Other Element+ RunFinished(0) Other"),
        ("missing-package", "RunBegan Other Element* ModuleNotFoundError RunFinished(0) Other"),
        ("exception-late", "RunBegan Other Element+ Error RunFinished(0) Other"),
        ("rerun", "RunBegan Other Element* RunFinished(2) Other RunBegan Other Element+ RunFinished(0) Other"),
        ("syntax-error", "RunBegan Other RunFinished(1) SyntaxError Other"),
    ];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Sessions_of_both_servers_are_understood(string app, string expected)
    {
        foreach (var version in new[] { "1.56.0", "1.67.0" })
        {
            Assert.Matches($"^{Pattern(expected)}$", string.Concat(Read($"{version}-{app}").Select(message => Name(message) + " ")));
        }
    }

    [Fact]
    public void Bytes_that_are_not_a_message_are_not_understood()
    {
        Assert.Null(StreamlitMessage.Parse([]));
        Assert.Null(StreamlitMessage.Parse("hello, world"u8));
        Assert.Null(StreamlitMessage.Parse("{\"type\": \"ping\"}"u8));
        Assert.Null(StreamlitMessage.Parse([0x00, 0x00]));
        Assert.Null(StreamlitMessage.Parse([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]));
    }

    [Fact]
    public void Unknown_fields_are_skipped() =>
        Assert.Equal(new StreamlitMessage.RunFinished(2), StreamlitMessage.Parse([0xBA, 0x3E, 0x01, 0x41, 0x30, 0x02, 0xF8, 0x06, 0x2A]));

    [Fact]
    public void The_last_of_repeated_fields_counts() =>
        Assert.Equal(new StreamlitMessage.RunFinished(0), StreamlitMessage.Parse([0x30, 0x02, 0x30, 0x00]));

    [Fact]
    public void A_message_that_was_cut_is_understood_as_far_as_it_goes()
    {
        // A delta of a thousand bytes of which three came: new_element, then its beginning.
        Assert.IsType<StreamlitMessage.Element>(StreamlitMessage.Parse([0x2A, 0xE8, 0x07, 0x1A, 0xE0, 0x07]));
    }

    [Fact]
    public void Any_bytes_end_in_a_message_or_none() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            _ = StreamlitMessage.Parse(bytes);
        }, iter: 20_000);

    [Fact]
    public void Any_damage_to_a_real_message_ends_in_a_message_or_none()
    {
        var real = RecordedSession.Read("1.67.0-exception-late").Concat(RecordedSession.Read("1.56.0-syntax-error")).ToArray();
        Gen.Select(Gen.OneOf(real), Gen.Int[0, 2_000], Gen.Byte, Gen.Int[0, 2_000]).Sample((message, at, damage, length) =>
        {
            var bytes = message.ToArray();
            bytes[at % bytes.Length] = damage;
            _ = StreamlitMessage.Parse(bytes.AsSpan(0, length % (bytes.Length + 1)));
        }, iter: 20_000);
    }

    private static string Pattern(string expected) => string.Concat(expected.Split(' ').Select(word => word switch
    {
        "Element+" => "(Element )+",
        "Element*" => "(Element |Other |Unknown )*",
        "Error" => @"\w+Error ",
        "RunFinished(0)" or "RunFinished(1)" or "RunFinished(2)" => word.Replace("(", @"\(", StringComparison.Ordinal).Replace(")", @"\)", StringComparison.Ordinal) + " ",
        _ => word + " ",
    }));

    private static string Name(StreamlitMessage? message) => message switch
    {
        StreamlitMessage.RunFinished finished => $"RunFinished({finished.Status})",
        StreamlitMessage.ExceptionShown shown => shown.Exception.Type,
        StreamlitMessage.CompileError error => error.Exception.Type,
        null => "null",
        _ => message.GetType().Name,
    };

    private static StreamlitMessage?[] Read(string recording) =>
        RecordedSession.Read(recording).Select(bytes => StreamlitMessage.Parse(bytes)).ToArray();
}
