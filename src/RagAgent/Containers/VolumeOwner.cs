using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers;

/// <summary>The user that the app runs as, which must own what is in its writable volumes.</summary>
internal static class VolumeOwner
{
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);

    /// <returns><c>uid:gid</c>; null if only the image knows the user, or if there is no container yet.</returns>
    public static async Task<string?> FindAsync(ContainerConfig container, EngineConnection connection, CancellationToken stopping)
    {
        var user = container.User ?? await ReadImageUserAsync(container.Name, connection, stopping);
        return user is null ? null : VolumeFolders.OwnerOf(container with { User = user });
    }

    /// <summary>The image's user, read from the container that runs it; null if there is no container yet.</summary>
    private static async Task<string?> ReadImageUserAsync(string name, EngineConnection connection, CancellationToken stopping)
    {
        try
        {
            var container = await connection.CallAsync("inspect the container", InspectTimeout,
                (docker, token) => docker.Containers.InspectContainerAsync(name, token), stopping);
            return container.Config?.User is { Length: > 0 } user ? user : "0";
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return null;
        }
    }
}
