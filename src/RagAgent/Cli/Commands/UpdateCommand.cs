using System.CommandLine;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent update</c>: looks for a newer release, waits until it serves and prints the outcome.</summary>
internal static class UpdateCommand
{
    public static Command Create() => RequestCommand.Create(
        "update",
        "Look for a newer image or secret now, and run it. Exit code 0: the newest serves.",
        RequestCommand.DescribeServing);
}
