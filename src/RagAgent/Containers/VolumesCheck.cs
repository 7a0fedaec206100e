using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Containers;

/// <summary>Are the folders of <c>container.volumes</c> there, and may the app write to them?</summary>
internal sealed class VolumesCheck(AgentConfig config, EngineConnection connection) : ICheck
{
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);

    public string Name => "volumes";

    /// <summary>Whether a user (<c>uid:gid</c>) may write to a folder; null: that can't be tried.</summary>
    public Func<string, string, bool?> CanWrite { get; init; } = VolumeFolders.CanWrite;

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var folders = VolumeFolders.Of(config.Container).ToArray();
        if (folders.Length == 0)
        {
            return CheckResult.Skipped("container.volumes names no folder of this machine: what the app writes goes with its container.");
        }
        MountGuard.RequireMounted(folders);
        if (folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } missing)
        {
            return CheckResult.Failed(File.Exists(missing)
                ? new Problem(ProblemCatalog.VolumeMissing, $"{missing} of container.volumes is a file; the app needs a folder.", "Correct container.volumes, or move the file away.")
                : VolumeFolders.MissingProblem(missing));
        }
        var user = config.Container.User ?? await ReadImageUserAsync(stopping);
        var owner = user is null ? null : VolumeFolders.OwnerOf(config.Container with { User = user });
        var writable = config.Container.Volumes.Where(volume => !volume.ReadOnly).Select(volume => volume.Host).Where(folders.Contains).Distinct();
        if (owner is not null && !owner.StartsWith("0:", StringComparison.Ordinal) && writable.FirstOrDefault(folder => CanWrite(folder, owner) == false) is { } notWritable)
        {
            return CheckResult.Failed(new Problem(ProblemCatalog.VolumeNotWritable, $"The app runs as {owner} and may not write to {notWritable}.", $"chown -R {owner} {notWritable}"));
        }
        return CheckResult.Ok($"{(folders.Length == 1 ? "The folder is" : $"All {folders.Length} folders are")} there; {DescribeFreeSpace(folders)}.");
    }

    /// <summary>What stands in the image, by the container that is made of it; null: there is none yet.</summary>
    private async Task<string?> ReadImageUserAsync(CancellationToken stopping)
    {
        try
        {
            var container = await connection.CallAsync("inspect the container", InspectTimeout, (docker, token) => docker.Containers.InspectContainerAsync(config.Container.Name, token), stopping);
            return container.Config?.User is { Length: > 0 } user ? user : "0";
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return null;
        }
    }

    /// <summary>The least that is free: where it ends first.</summary>
    private static string DescribeFreeSpace(string[] folders)
    {
        var (folder, bytes) = folders.Select(folder => (folder, new DriveInfo(folder).AvailableFreeSpace)).MinBy(space => space.AvailableFreeSpace);
        return $"{Humanize.Bytes(bytes)} are free on the disk of {folder}";
    }
}
