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
    public void Journalctl_gets_the_identifier_of_agent_or_app_unless_both_are_wanted(bool agent, bool app, string identifier)
    {
        var arguments = LogsCommand.JournalctlArguments(agent, app, follow: false, 5, boot: false, explain: false, () => "my-app");

        Assert.Equal($"--unit ragagent.service --lines 5 --no-pager{identifier}", string.Join(' ', arguments));
    }

    [Fact]
    public void Journalctl_gets_the_options_follow_boot_and_explain()
    {
        var arguments = LogsCommand.JournalctlArguments(agent: false, app: false, follow: true, 5, boot: true, explain: true, () => "my-app");

        Assert.Equal("--unit ragagent.service --lines 5 --no-pager --follow --boot --catalog", string.Join(' ', arguments));
    }
}
