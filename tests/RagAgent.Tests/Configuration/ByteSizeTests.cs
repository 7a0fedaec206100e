using RagAgent.Configuration.Values;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ByteSizeTests
{
    [Theory]
    [InlineData("6291456b", 6291456)]
    [InlineData("8192k", 8388608)]
    [InlineData("512m", 536870912)]
    [InlineData("512MB", 536870912)]
    [InlineData("512 MiB", 536870912)]
    [InlineData("4g", 4294967296)]
    [InlineData("1.5GiB", 1610612736)]
    [InlineData("1t", 1099511627776)]
    [InlineData("6.0000001m", 6291456)]
    public void Size_units_are_powers_of_1024(string text, long bytes) =>
        Assert.Equal(bytes, AssertAccepted(ConfigWith($$""" "container": { "memory": "{{text}}" } """)).Container.Memory);

    [Fact]
    public void A_size_without_unit_is_in_bytes() => Assert.Equal(6291456, AssertAccepted(ConfigWith("\"container\": { \"memory\": 6291456 }")).Container.Memory);

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("4")]
    [InlineData("-4g")]
    [InlineData(".5g")]
    [InlineData("4.g")]
    [InlineData("1.2.3g")]
    [InlineData("4gg")]
    [InlineData("4 parsecs")]
    [InlineData("9999999999999999g")]
    public void Other_texts_are_not_sizes(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void A_huge_size_is_rejected_and_does_not_overflow() =>
        Assert.StartsWith(
            "container.memory: must be from 6m (the engine's minimum) to 16t",
            AssertSingleError(ConfigWith("\"container\": { \"memory\": \"999999999999999t\" }")),
            StringComparison.Ordinal);
}
