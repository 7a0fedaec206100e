using Docker.DotNet.Models;
using RagAgent.Containers;

namespace RagAgent.Images;

/// <summary>Free bytes of the filesystem that holds a folder.</summary>
internal sealed record FreeSpace(string Path, long Bytes);

/// <summary>The disk that the engine keeps its images on.</summary>
internal sealed class EngineDisk(EngineConnection connection)
{
    private const string ContainerdRoot = "/var/lib/containerd";   // where containerd's packages put it; the engine does not say
    private static readonly TimeSpan InfoTimeout = TimeSpan.FromSeconds(30);

    /// <returns>Null when it can't be known: the folder can't be seen from here.</returns>
    public async Task<FreeSpace?> FreeSpaceAsync(CancellationToken stopping)
    {
        var info = await InfoAsync(stopping);
        // With containerd's image store most lies in containerd's folder. When that is elsewhere, the greater figure is the one that does not refuse wrongly.
        string[] folders = UsesContainerdStore(info) ? [info.DockerRootDir, ContainerdRoot] : [info.DockerRootDir];
        return folders.Select(FreeSpaceOf).OfType<FreeSpace>().MaxBy(free => free.Bytes);
    }

    /// <summary>The engine's own folder, for people.</summary>
    public async Task<string> RootFolderAsync(CancellationToken stopping) => (await InfoAsync(stopping)).DockerRootDir;

    private Task<SystemInfoResponse> InfoAsync(CancellationToken stopping) =>
        connection.CallAsync("describe itself", InfoTimeout, (docker, token) => docker.System.GetSystemInfoAsync(token), stopping);

    private static bool UsesContainerdStore(SystemInfoResponse info) =>
        info.DriverStatus?.Any(pair => pair is ["driver-type", var type, ..] && type.Contains("snapshotter", StringComparison.Ordinal)) == true;

    /// <summary>The filesystem is asked about the folder: its parents must let us pass, the folder itself need not be readable.</summary>
    private static FreeSpace? FreeSpaceOf(string folder)
    {
        try
        {
            // Not TotalFreeSpace: what is kept for root is not the engine's to count on, though it runs as root.
            return new FreeSpace(folder, new DriveInfo(folder).AvailableFreeSpace);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
