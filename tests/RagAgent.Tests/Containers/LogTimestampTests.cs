using System.Text;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public class LogTimestampTests
{
    [Theory]
    [InlineData("1970-01-01T00:00:00.000000001Z text\n", 1, "text\n")]
    [InlineData("2026-11-24T13:28:41.642767802Z a b", 1795526921642767802, "a b")]
    [InlineData("2026-11-24T15:28:41.642767802+02:00 a", 1795526921642767802, "a")]
    [InlineData("2026-11-24T10:58:41.642767802-02:30 a", 1795526921642767802, "a")]
    [InlineData("2026-11-24T13:28:41.64Z a", 1795526921640000000, "a")]
    [InlineData("2026-11-24T13:28:41Z a", 1795526921000000000, "a")]
    [InlineData("2026-11-24T13:28:41.642767802Z ", 1795526921642767802, "")]
    public void A_timestamp_is_exact_to_the_nanosecond_in_any_time_zone(string message, long at, string text)
    {
        var split = LogTimestamp.SplitPrefix(Encoding.UTF8.GetBytes(message))!.Value;

        Assert.Equal(at, split.At);
        Assert.Equal(text, Encoding.UTF8.GetString(split.Text.Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-11-24T13:28:41.642767802Z")]
    [InlineData("Error grabbing logs: unexpected EOF\n")]
    [InlineData("2026-11-24T13:28:41.642767802 text")]
    [InlineData("2026-11-24X13:28:41.642767802Z text")]
    [InlineData("2026-99-24T13:28:41.642767802Z text")]
    public void A_message_without_a_timestamp_is_recognized(string message) =>
        Assert.Null(LogTimestamp.SplitPrefix(Encoding.UTF8.GetBytes(message)));

    [Fact]
    public void The_since_parameter_is_exact_to_the_nanosecond()
    {
        Assert.Equal("1795526921.042767802", LogTimestamp.ToSinceParameter(1795526921042767802));
        Assert.Equal("0.000000000", LogTimestamp.ToSinceParameter(0));
    }
}
