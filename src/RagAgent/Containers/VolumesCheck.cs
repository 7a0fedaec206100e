using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Containers;

/// <summary>Do the folders of <c>container.volumes</c> exist, and may the app write to them?</summary>
internal sealed class VolumesCheck(AgentConfig config, EngineConnection connection) : ICheck
{
    private const int LoginUser = 1000;
    private const int MaxPathLength = 300;

    public string Name => "volumes";

    /// <summary>Whether a user (<c>uid:gid</c>) may write to a folder; null if that can't be tested.</summary>
    public Func<string, string, CancellationToken, Task<bool?>> CanWrite { get; init; } = VolumeFolders.CanWriteAsync;

    /// <summary>Finds something in a folder that the user can't write to; null if there is nothing.</summary>
    public Func<string, string, CancellationToken, Task<string?>> FindForeign { get; init; } = VolumeFolders.FindForeignAsync;

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
        var owner = await VolumeOwner.FindAsync(config.Container, connection, stopping);
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
                    return NotWritable(owner, folder);
                }
                if (await FindForeign(folder, owner, stopping) is { } foreign)
                {
                    return NotWritable(owner, foreign);
                }
            }
        }
        var existing = folders.Length == 1 ? "The folder exists" : $"All {folders.Length} folders exist";
        var summary = $"{existing}; {DescribeFreeSpace(folders)}.";
        return owner?.StartsWith($"{LoginUser}:", StringComparison.Ordinal) == true
            ? new CheckResult(
                CheckOutcome.Note,
                $"{summary} The app runs as {LoginUser}, which is also the login user of Ubuntu and Amazon Linux.",
                "New images run as 10001. To change over, push one, then run 'sudo ragagent volumes --fix-owner'. " +
                $"To stay, build with APP_UID={LoginUser}.")
            : CheckResult.Ok(summary);
    }

    private static CheckResult NotWritable(string owner, string path) => CheckResult.Of(new Problem(ProblemCatalog.VolumeNotWritable,
        $"The app runs as {owner} and may not write to {UntrustedText.ToLine(path, MaxPathLength)}.",
        "Run 'sudo ragagent volumes --fix-owner'."));

    /// <summary>Names the disk with the least free space.</summary>
    private static string DescribeFreeSpace(string[] folders)
    {
        var (folder, bytes) = folders
            .Select(folder => (folder, new DriveInfo(folder).AvailableFreeSpace))
            .MinBy(space => space.AvailableFreeSpace);
        return $"{Humanize.Bytes(bytes)} free on the disk of {folder}";
    }
}
