using RagAgent.Cli.Commands;
using Xunit;

namespace RagAgent.Tests.Cli;

public sealed class LogsCommandTests
{
    [Theory]
    [InlineData(false, false, "")]
    [InlineData(true, true, "")]
    [InlineData(true, false, " --identifier ragagent")]
    [InlineData(false, true, " --identifier my-app")]
    public void The_journal_is_asked_for_the_lines_of_one_or_both(bool agent, bool app, string whose) =>
        Assert.Equal($"--unit ragagent.service --lines 5 --no-pager{whose}", string.Join(' ', LogsCommand.JournalctlArguments(agent, app, false, 5, false, false, () => "my-app")));

    [Fact]
    public void And_for_what_else_was_asked() =>
        Assert.Equal("--unit ragagent.service --lines 5 --no-pager --follow --boot --catalog", string.Join(' ', LogsCommand.JournalctlArguments(false, false, true, 5, true, true, () => "my-app")));
}
