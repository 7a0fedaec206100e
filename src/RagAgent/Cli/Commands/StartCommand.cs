using System.CommandLine;
using RagAgent.Common;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent start</c>: runs the app again after a stop.</summary>
internal static class StartCommand
{
    public static Command Create() => RequestCommand.Create("start", "Run the app again after 'ragagent stop' or 'docker stop'. Exit code 0: it serves.", last => $"{Humanize.Digest(last.Digest ?? "")} serves.");
}
