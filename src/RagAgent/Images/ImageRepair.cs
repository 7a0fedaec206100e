using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Clears a broken image away, so that a pull gets it anew: what is on disk is not looked at by a pull, only counted as there.</summary>
/// <remarks>
/// Removing the image alone is not enough. A layer stays as long as anything uses it: a container of ours that ended, or the version before, which
/// shares the lower layers. And where the engine's own record of a layer is damaged, no call to it helps; then it is said.
/// </remarks>
internal sealed class ImageRepair(AgentConfig config, EngineImages images, EngineDisk disk, ILogger<ImageRepair> logger)
{
    /// <param name="image">Broken.</param>
    /// <param name="layers">Its layers unpacked, as the registry states them.</param>
    /// <param name="stopping">Ends it between two steps.</param>
    public async Task RemoveCorruptAsync(ImageName image, IReadOnlyList<string> layers, CancellationToken stopping)
    {
        var containers = await images.ListContainersAsync(stopping);
        foreach (var local in await images.ListAsync(stopping))
        {
            var names = local.NamesIn(image.Repository).ToArray();
            if (local.Matches(image) || (names.Length > 0 && await IsAlsoCorruptAsync(local, names[0], layers, containers, stopping)))
            {
                await RemoveAsync(local, names[0], containers, stopping);
            }
        }
        // The engine may have lost the image and kept its name.
        await images.RemoveAsync(image.ToString(), force: true, stopping);
    }

    /// <exception cref="ProblemException">The image that was pulled anew is still broken.</exception>
    public async Task RequireIntactAsync(ImageName image, string reference, CancellationToken stopping)
    {
        if (await images.IsIntactAsync(image.ToString(), stopping))
        {
            return;
        }
        var root = await disk.RootFolderAsync(stopping);
        throw new ProblemException(new Problem(ProblemCatalog.ImageStoreBroken,
            $"{reference} was pulled again and is still broken: Docker Engine holds on to a broken layer, for something else that uses it or because its own records are damaged.",
            "Remove the other containers and images that were made from it ('docker ps -a', 'docker images'). If that does not help, reset the engine's images: " +
            $"'systemctl stop docker', remove {root}/image, {root}/overlay2 and {root}/containers (volumes stay), 'systemctl start docker'. {RagAgent.Common.ExceptionMapping.RetriesAutomatically}"));
    }

    /// <summary>An older version that is whole is what the app falls back to: it stays.</summary>
    private async Task<bool> IsAlsoCorruptAsync(LocalImage other, string name, IReadOnlyList<string> layers, IReadOnlyList<ContainerUsingImage> containers, CancellationToken stopping)
    {
        if (containers.Any(container => container.ImageId == other.Id && container.IsAlive))
        {
            return false;
        }
        var sharesLayers = await images.LayersOfAsync(other, stopping) is not { } otherLayers || DiskPreflight.SharedLayers(layers, otherLayers) > 0;
        return sharesLayers && !await images.IsIntactAsync(name, stopping);
    }

    private async Task RemoveAsync(LocalImage image, string name, IReadOnlyList<ContainerUsingImage> containers, CancellationToken stopping)
    {
        logger.RemovingCorruptImage(name);
        foreach (var container in containers.Where(container => container.ImageId == image.Id && container.OwnerName == config.Container.Name && !container.IsAlive))
        {
            await images.RemoveContainerAsync(container.Id, stopping);
        }
        await images.RemoveAsync(image.Id, force: true, stopping);
    }
}
