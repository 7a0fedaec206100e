using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Where the app may write when it may write nowhere else.</summary>
internal static class TemporaryFolder
{
    public const string Path = "/tmp";
    public const string Volume = "tmp";

    public static bool IsNeeded(ContainerConfig container) => container.ReadOnlyRoot && container.Volumes.All(volume => volume.Container != Path);
}
