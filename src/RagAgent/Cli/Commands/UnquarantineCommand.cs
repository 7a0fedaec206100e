using System.CommandLine;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent unquarantine</c>: gives a quarantined image another chance.</summary>
internal static class UnquarantineCommand
{
    public static Command Create() => RequestCommand.Create(
        "unquarantine",
        "Give an image that was quarantined after a failure another chance. Exit code 0: it serves.",
        RequestCommand.DescribeServing);
}
