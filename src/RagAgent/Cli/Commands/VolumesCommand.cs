using System.CommandLine;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent volumes</c>: creates missing folders of <c>container.volumes</c>, for the service before each start.</summary>
internal static class VolumesCommand
{
    private const int MaxErrorLength = 1000;

    public static Command Create()
    {
        var config = Options.ConfigFile();
        var beforeStart = new Option<bool>("--before-start")
        {
            Description = "For the service: leaves errors of the configuration to the agent.",
            Hidden = true,
        };
        var fixOwner = new Option<bool>("--fix-owner") { Description = "Give the app's user everything in there that it can't write to." };
        var command = new Command("volumes", "Create missing folders of container.volumes, owned by the app's user.")
        {
            config,
            fixOwner,
            beforeStart,
        };
        command.SetAction((parsed, stopping) => parsed.GetValue(fixOwner)
            ? FixOwnerAsync(parsed.GetValue(config)!, stopping)
            : RunAsync(parsed.GetValue(config)!, parsed.GetValue(beforeStart), stopping));
        return command;
    }

    private static async Task<int> FixOwnerAsync(string configFile, CancellationToken stopping)
    {
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is not { Container: var container })
        {
            return ConfigCommand.ReportErrors(read.Errors);
        }
        if (!Environment.IsPrivilegedProcess)
        {
            await Console.Error.WriteLineAsync("ragagent: Only root can change the owner of files. Run the command with sudo.");
            return ExitCodes.Denied;
        }
        using var connection = new EngineConnection(TimeProvider.System);
        try
        {
            if (await VolumeOwner.FindAsync(container, connection, stopping) is not { } owner)
            {
                await Console.Error.WriteLineAsync(
                    "ragagent: It is unknown which user the app runs as: there is no container yet, or its user is a name. " +
                    "Start the app first, or set container.user to numbers, like \"10001:10001\".");
                return ExitCodes.Failed;
            }
            var writable = container.Volumes.Where(volume => !volume.ReadOnly).Select(volume => volume.Host);
            var failed = false;
            foreach (var folder in VolumeFolders.Of(container).Intersect(writable).Where(Directory.Exists))
            {
                var (changed, error) = await VolumeFolders.FixOwnerAsync(folder, owner, stopping);
                failed |= error is not null;
                Console.WriteLine($"{folder}: {changed} files and folders given to {owner}");
                await Console.Error.WriteAsync(error is null ? "" : $"ragagent: {UntrustedText.ToLine(error, MaxErrorLength)}\n");
            }
            return failed ? ExitCodes.Failed : ExitCodes.Ok;
        }
        catch (ProblemException exception)
        {
            await Console.Error.WriteLineAsync($"ragagent: {exception.Problem}");
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> RunAsync(string configFile, bool isBeforeStart, CancellationToken stopping)
    {
        var read = ConfigReader.ReadFile(configFile);
        if (read.Config is not { Container: var container })
        {
            return isBeforeStart ? ExitCodes.Ok : ConfigCommand.ReportErrors(read.Errors);
        }
        var folders = VolumeFolders.Of(container).ToArray();
        var missing = folders.Where(folder => !Path.Exists(folder)).ToArray();
        var failed = 0;
        foreach (var folder in missing)
        {
            failed += await TryCreateAsync(container, folder, stopping) ? 0 : 1;
        }
        if (missing.Length == 0 && !isBeforeStart)
        {
            Console.WriteLine(folders.Length == 0
                ? "Nothing to do: container.volumes has no folder of this machine."
                : "Nothing to do: all folders of container.volumes exist.");
        }
        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<bool> TryCreateAsync(ContainerConfig container, string folder, CancellationToken stopping)
    {
        try
        {
            MountGuard.RequireMounted(folder);
            if (FindObstacle(container, folder) is { } obstacle)
            {
                throw new ProblemException(obstacle);
            }
            var owner = (await VolumeFolders.OwnerOfNewAsync(container, stopping))!;
            await VolumeFolders.CreateAsync(folder, owner, stopping);
            Console.WriteLine($"{folder}: created for the app ({owner})");
            return true;
        }
        catch (ProblemException exception)
        {
            Console.Error.WriteLine($"ragagent: {exception.Problem}");
            return false;
        }
    }

    private static Problem? FindObstacle(ContainerConfig container, string folder)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return NotCreated(folder, "this requires root", "Run the command with sudo.");
        }
        if (VolumeFolders.OwnerOf(container) is null)
        {
            return NotCreated(
                folder,
                $"its owner is unknown because container.user (\"{container.User}\") is a name in the image",
                "Set container.user to numbers, like \"10001:10001\", or create the folder by hand.");
        }
        return VolumeFolders.WritableParent(container, folder) is { } parent
            ? NotCreated(
                folder,
                $"the app can write to its parent {parent} and could redirect it",
                "Create it by hand, or let the app create it.")
            : null;
    }

    private static Problem NotCreated(string folder, string why, string remedy) =>
        new(ProblemCatalog.VolumeNotMade, $"The folder {folder} was not created: {why}.", remedy);
}
