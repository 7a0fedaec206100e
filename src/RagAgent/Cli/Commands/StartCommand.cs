using System.CommandLine;
using RagAgent.Common;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent start</c>: starts the app again after a stop.</summary>
internal static class StartCommand
{
    public static Command Create() => RequestCommand.Create(
        "start",
        "Start the app again after 'ragagent stop' or 'docker stop'. Exit code 0: it serves.",
        last => $"{Humanize.Digest(last.Digest ?? "")} serves.");
}
