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
    public void Long_lines_are_wrapped_between_words_and_continue_indented(string line, string wrapped) =>
        Assert.Equal(wrapped, LineWrap.Wrap(line, 26, 6));

    [Fact]
    public void In_narrow_terminals_wrapped_lines_are_indented_less() =>
        Assert.Equal("name      one two\n  three four", LineWrap.Wrap("name      one two three four", 20, 10));

    [Theory]
    [InlineData(null)]
    [InlineData(80)]
    [InlineData(3)]   // too narrow for anything
    public void Lines_stay_whole_without_a_terminal_or_if_they_fit(int? width) =>
        Assert.Equal("name  one two three four five\n", LineWrap.Wrap("name  one two three four five\n", width, 6));
}
