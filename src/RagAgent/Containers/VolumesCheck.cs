using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Containers;

/// <summary>Do the folders of <c>container.volumes</c> exist, and may the app write to them?</summary>
internal sealed class VolumesCheck(AgentConfig config, EngineConnection connection) : ICheck
{
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);

    public string Name => "volumes";

    /// <summary>Whether a user (<c>uid:gid</c>) may write to a folder; null if that can't be tested.</summary>
    public Func<string, string, CancellationToken, Task<bool?>> CanWrite { get; init; } = VolumeFolders.CanWriteAsync;

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var folders = VolumeFolders.Of(config.Container).ToArray();
        if (folders.Length == 0)
        {
            return CheckResult.Skipped("container.volumes names no folder on this machine: what the app writes is lost with its container.");
        }
        MountGuard.RequireMounted(folders);
        if (folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
        {
            return CheckResult.Of(File.Exists(missing)
                ? new Problem(ProblemCatalog.VolumeMissing,
                    $"{missing} of container.volumes is a file, but the app needs a folder.",
                    "Correct container.volumes, or move the file away.")
                : VolumeFolders.MissingProblem(missing));
        }
        var user = config.Container.User ?? await ReadImageUserAsync(stopping);
        var owner = user is null ? null : VolumeFolders.OwnerOf(config.Container with { User = user });
        var writable = config.Container.Volumes
            .Where(volume => !volume.ReadOnly)
            .Select(volume => volume.Host)
            .Where(folders.Contains)
            .Distinct();
        if (owner is not null && !owner.StartsWith("0:", StringComparison.Ordinal))
        {
            foreach (var folder in writable)
            {
                if (await CanWrite(folder, owner, stopping) is false)
                {
                    return CheckResult.Of(new Problem(ProblemCatalog.VolumeNotWritable,
                        $"The app runs as {owner} and may not write to {folder}.", $"Run 'chown -R {owner} {folder}'."));
                }
            }
        }
        var existing = folders.Length == 1 ? "The folder exists" : $"All {folders.Length} folders exist";
        return CheckResult.Ok($"{existing}; {DescribeFreeSpace(folders)}.");
    }

    /// <summary>The image's user, read from the container that runs it; null if there is no container yet.</summary>
    private async Task<string?> ReadImageUserAsync(CancellationToken stopping)
    {
        try
        {
            var container = await connection.CallAsync("inspect the container", InspectTimeout,
                (docker, token) => docker.Containers.InspectContainerAsync(config.Container.Name, token), stopping);
            return container.Config?.User is { Length: > 0 } user ? user : "0";
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return null;
        }
    }

    /// <summary>Names the disk with the least free space.</summary>
    private static string DescribeFreeSpace(string[] folders)
    {
        var (folder, bytes) = folders
            .Select(folder => (folder, new DriveInfo(folder).AvailableFreeSpace))
            .MinBy(space => space.AvailableFreeSpace);
        return $"{Humanize.Bytes(bytes)} free on the disk of {folder}";
    }
}
