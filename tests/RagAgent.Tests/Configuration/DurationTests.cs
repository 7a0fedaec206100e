using CsCheck;
using RagAgent.Configuration.Values;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class DurationTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("2s", 2000)]
    [InlineData("10m", 600_000)]
    [InlineData("12h", 43_200_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("1m500ms", 60_500)]
    [InlineData("90m", 5_400_000)]
    [InlineData("0s", 0)]
    public void The_parts_of_a_duration_add_up(string text, long milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var value));
        Assert.Equal(milliseconds, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("20")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1 s")]
    [InlineData("1s ")]
    [InlineData("1S")]
    [InlineData("1d")]
    [InlineData("1s1s")]
    [InlineData("1m1h")]
    [InlineData("1h30")]
    [InlineData("٣s")]
    [InlineData("9999999999h")]
    public void Other_texts_are_not_durations(string text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void A_formatted_duration_parses_to_the_same_value() =>
        Gen.Long[0, (long)TimeSpan.FromDays(365).TotalMilliseconds].Sample(milliseconds =>
            Duration.TryParse(Duration.Format(TimeSpan.FromMilliseconds(milliseconds)), out var parsed)
            && parsed.TotalMilliseconds == milliseconds);

    [Theory]
    [InlineData("30", "must be a duration like \"20s\", but is a number; write \"30s\"")]
    [InlineData("\"30\"", "must be a duration like \"20s\", but is \"30\"; write \"30s\"")]
    [InlineData("1.5", "must be a duration like \"20s\", but is a number; write \"20s\"")]
    [InlineData("\"1.5m\"", "must be a duration like \"20s\", but is \"1.5m\"; use whole numbers with h, m, s or ms, like \"500ms\", \"20s\", \"10m\" or \"1h30m\"")]
    public void A_duration_without_unit_is_answered_with_a_correction(string value, string expected) =>
        Assert.Equal($"container.stopTimeout: {expected}", AssertSingleError(ConfigWith($$""" "container": { "stopTimeout": {{value}} } """)));
}
