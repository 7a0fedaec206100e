using System.CommandLine;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent unquarantine</c>: gives the image that was set aside another chance.</summary>
internal static class UnquarantineCommand
{
    public static Command Create() => RequestCommand.Create("unquarantine", "Give the image that was set aside after a failure another chance. Exit code 0: it serves.", RequestCommand.DescribeServing);
}
