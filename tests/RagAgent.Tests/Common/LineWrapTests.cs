using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Common;

public sealed class LineWrapTests
{
    [Theory]
    [InlineData("name  one two three four five", "name  one two three four\n      five")]
    [InlineData("name  one two three four f", "name  one two three four f")]
    [InlineData("name  one two three\nname  one\n", "name  one two three\nname  one\n")]
    [InlineData("name  sha256:0123456789abcdef0123456789 newest", "name  sha256:0123456789abcdef0123456789\n      newest")]
    [InlineData("name  sha256:0123456789abcdef0123456789", "name  sha256:0123456789abcdef0123456789")]
    [InlineData("name  sha256:0123456789abcdef0123456789 ", "name  sha256:0123456789abcdef0123456789 ")]
    [InlineData("      what continues a line already", "      what continues a\n      line already")]
    public void A_line_wraps_between_words_and_continues_indented(string line, string wrapped) =>
        Assert.Equal(wrapped, LineWrap.Wrap(line, 26, 6));

    [Fact]
    public void A_line_continues_near_the_edge_if_the_indentation_would_leave_too_little_room() =>
        Assert.Equal("name      one two\n  three four", LineWrap.Wrap("name      one two three four", 20, 10));

    [Theory]
    [InlineData(null)]
    [InlineData(80)]
    [InlineData(3)]   // of no use to anybody
    public void Lines_stay_whole_without_a_terminal_or_on_a_wide_one(int? width) =>
        Assert.Equal("name  one two three four five\n", LineWrap.Wrap("name  one two three four five\n", width, 6));
}
