using System.CommandLine;
using RagAgent.Common;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent rollback</c>: sets the newest image aside and runs the last good one before it, from the disk.</summary>
internal static class RollbackCommand
{
    public static Command Create() => RequestCommand.Create("rollback", "Run the last good image before the newest one, until the tag moves. Exit code 0: it serves.", last => $"{Humanize.Digest(last.Digest ?? "")} serves now. The newest image is set aside until the tag moves.");
}
