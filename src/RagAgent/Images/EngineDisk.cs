using Docker.DotNet.Models;
using RagAgent.Containers;

namespace RagAgent.Images;

/// <summary>The disk that the engine stores images on.</summary>
internal sealed class EngineDisk(EngineConnection connection)
{
    private const string ContainerdRoot = "/var/lib/containerd";   // containerd's default; the engine's API doesn't tell
    private static readonly TimeSpan InfoTimeout = TimeSpan.FromSeconds(30);

    /// <returns>Null if this user can't access the folder.</returns>
    public async Task<FreeSpace?> FreeSpaceAsync(CancellationToken stopping)
    {
        var info = await InfoAsync(stopping);
        // With containerd's image store, most data is in containerd's folder. If that was moved elsewhere, taking the larger figure avoids
        // refusing a pull that would fit.
        string[] folders = UsesContainerdStore(info) ? [info.DockerRootDir, ContainerdRoot] : [info.DockerRootDir];
        return folders.Select(FreeSpaceOf).OfType<FreeSpace>().MaxBy(free => free.Bytes);
    }

    /// <summary>The engine's data folder, for messages.</summary>
    public async Task<string> RootFolderAsync(CancellationToken stopping) => (await InfoAsync(stopping)).DockerRootDir;

    private Task<SystemInfoResponse> InfoAsync(CancellationToken stopping) =>
        connection.CallAsync("report its settings", InfoTimeout, (docker, token) => docker.System.GetSystemInfoAsync(token), stopping);

    private static bool UsesContainerdStore(SystemInfoResponse info) =>
        info.DriverStatus?.Any(pair =>
            pair is ["driver-type", var type, ..] && type.Contains("snapshotter", StringComparison.Ordinal)) == true;

    /// <summary>The folder itself need not be readable, but its parents must be traversable.</summary>
    private static FreeSpace? FreeSpaceOf(string folder)
    {
        try
        {
            // Not TotalFreeSpace: the engine should not rely on the blocks reserved for root, although it runs as root.
            return new FreeSpace(folder, new DriveInfo(folder).AvailableFreeSpace);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
