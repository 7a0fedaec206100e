using System.Text;
using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public class LineAssemblerTests
{
    private readonly LineAssembler _assembler = new();
    private readonly List<(string Text, bool IsComplete)> _lines = [];

    [Fact]
    public void A_message_with_a_line_break_is_a_line()
    {
        Out(1, "one\n");
        Out(1, "\n");
        Out(2, "two\n");

        Assert.Equal([("one", true), ("", true), ("two", true)], _lines);
        Assert.False(_assembler.IsMidLine);
    }

    [Fact]
    public void Pieces_with_one_timestamp_form_a_line_even_with_the_other_stream_in_between()
    {
        Out(1, "one ");
        Assert.True(_assembler.HasPendingLine);
        Err(2, "error\n");
        Out(1, "line ");
        Out(1, "only\n");

        Assert.Equal([("error", true), ("one line only", true)], _lines);
        Assert.False(_assembler.HasPendingLine);
    }

    [Fact]
    public void A_message_with_another_timestamp_starts_a_new_line()
    {
        Out(1, "begin ");
        Out(1, "end");
        Out(2, "next\n");

        Assert.Equal([("begin end", true), ("next", true)], _lines);
    }

    [Fact]
    public void An_overlong_line_is_cut_and_its_rest_is_dropped_per_stream()
    {
        Out(1, new string('x', LineAssembler.MaxLineLength));
        Out(1, "rest");
        Err(1, "error of the same time\n");
        Out(1, "rest\n");
        Out(1, "next of the same time\n");

        Assert.Equal([(new string('x', LineAssembler.MaxLineLength), false), ("error of the same time", true), ("next of the same time", true)], _lines);
    }

    [Fact]
    public void The_line_after_a_cut_line_without_a_line_break_is_kept()
    {
        Out(1, new string('x', LineAssembler.MaxLineLength));
        Out(1, "rest");
        Assert.True(_assembler.IsMidLine);
        Assert.False(_assembler.HasPendingLine);
        Out(2, "next\n");

        Assert.Equal((new string('x', LineAssembler.MaxLineLength), false), _lines[0]);
        Assert.Equal([("next", true)], _lines.Skip(1));
    }

    [Fact]
    public void A_flush_emits_unfinished_lines()
    {
        Out(1, "half");
        Err(2, "other half");
        _assembler.Flush(Add);

        Assert.Equal([("half", true), ("other half", true)], _lines);
        Assert.False(_assembler.IsMidLine);
    }

    [Fact]
    public void A_line_emitted_early_is_marked_as_cut_and_its_rest_is_dropped()
    {
        Out(1, "half");
        _assembler.Truncate(Add);
        Out(1, "rest\n");
        Out(2, "next\n");

        Assert.Equal([("half", false), ("next", true)], _lines);
    }

    private void Out(long at, string text) => _assembler.Add(LogStreamType.StandardOutput, at, Encoding.UTF8.GetBytes(text), Add);

    private void Err(long at, string text) => _assembler.Add(LogStreamType.StandardError, at, Encoding.UTF8.GetBytes(text), Add);

    private void Add(RawLogLine line) => _lines.Add((Encoding.UTF8.GetString(line.Text.Span), line.IsComplete));
}
