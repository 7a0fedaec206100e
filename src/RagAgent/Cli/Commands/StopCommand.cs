using System.CommandLine;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent stop</c>: stops the app until <c>ragagent start</c> or the next boot.</summary>
internal static class StopCommand
{
    public static Command Create() => RequestCommand.Create(
        "stop",
        "Stop the app until 'ragagent start' or the next boot. The agent keeps running. Exit code 0: the app is stopped.",
        _ => "The app is stopped until 'ragagent start' or the next boot.");
}
