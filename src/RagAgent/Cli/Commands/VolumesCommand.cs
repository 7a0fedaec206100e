using System.CommandLine;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent volumes</c>: makes the folders of <c>container.volumes</c> that are missing. The service does so as root before each start.</summary>
internal static class VolumesCommand
{
    public static Command Create()
    {
        var config = Options.ConfigFile();
        var beforeStart = new Option<bool>("--before-start") { Description = "As the service calls it: what is wrong with the configuration is left to the agent to tell.", Hidden = true };
        var command = new Command("volumes", "Make the folders of container.volumes that are missing, as the app's own.") { config, beforeStart };
        command.SetAction(parsed => Run(parsed.GetValue(config)!, parsed.GetValue(beforeStart)));
        return command;
    }

    private static int Run(string configFile, bool isBeforeStart)
    {
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is not { Container: var container })
        {
            return isBeforeStart ? ExitCodes.Ok : ConfigCommand.ReportErrors(read.Errors);
        }
        var folders = VolumeFolders.Of(container).ToArray();
        var missing = folders.Where(folder => !Path.Exists(folder)).ToArray();
        var failed = missing.Count(folder => !TryCreate(container, folder));
        if (missing.Length == 0 && !isBeforeStart)
        {
            Console.WriteLine(folders.Length == 0 ? "container.volumes names no folder of this machine." : "Nothing to do: every folder of container.volumes is there.");
        }
        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static bool TryCreate(ContainerConfig container, string folder)
    {
        try
        {
            MountGuard.RequireMounted(folder);
            if (FindObstacle(container, folder) is { } obstacle)
            {
                throw new ProblemException(obstacle);
            }
            var owner = VolumeFolders.OwnerOf(container)!;
            VolumeFolders.Create(folder, owner);
            Console.WriteLine($"{folder}: made for the app ({owner})");
            return true;
        }
        catch (ProblemException exception)
        {
            Console.Error.WriteLine($"ragagent: {exception.Problem}");
            return false;
        }
    }

    private static Problem? FindObstacle(ContainerConfig container, string folder) =>
        !Environment.IsPrivilegedProcess ? CreationFailed(folder, "that needs root", "Say it with sudo.")
        : VolumeFolders.OwnerOf(container) is null ? CreationFailed(folder, $"whose it shall be is not known, for container.user (\"{container.User}\") is a name in the image", "Write container.user by numbers, like \"1000:1000\", or make the folder by hand.")
        : VolumeFolders.WritableParent(container, folder) is { } above ? CreationFailed(folder, $"it lies in {above}, where the app may change the way to it", "Make it by hand, or let the app make it.")
        : null;

    private static Problem CreationFailed(string folder, string why, string remedy) => new(ProblemCatalog.VolumeNotMade, $"The folder {folder} is not made: {why}.", remedy);
}
