using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>The writable <c>/tmp</c> of a container with a read-only root.</summary>
internal static class TmpVolume
{
    public const string MountPath = "/tmp";
    public const string Name = "tmp";

    public static bool IsNeeded(ContainerConfig container) =>
        container.ReadOnlyRoot && container.Volumes.All(volume => volume.Container != MountPath);
}
