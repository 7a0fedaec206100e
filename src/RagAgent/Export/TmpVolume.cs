using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Where the app may write when it may write nowhere else.</summary>
internal static class TmpVolume
{
    public const string MountPath = "/tmp";
    public const string Name = "tmp";

    public static bool IsNeeded(ContainerConfig container) => container.ReadOnlyRoot && container.Volumes.All(volume => volume.Container != MountPath);
}
