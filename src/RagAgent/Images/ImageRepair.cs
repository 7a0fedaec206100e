using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Removes a corrupt image so that a pull downloads it again. A pull doesn't verify layers that are already on disk.</summary>
/// <remarks>
/// Removing the image alone is not enough. A layer stays as long as anything uses it: a stopped container of ours, or the previous
/// version, which shares the lower layers. If the engine's own records of a layer are damaged, no API call helps; then a problem
/// says so.
/// </remarks>
internal sealed class ImageRepair(AgentConfig config, EngineImages images, EngineDisk disk, ILogger<ImageRepair> logger)
{
    /// <param name="image">The corrupt image.</param>
    /// <param name="layers">Digests of its unpacked layers, from the registry.</param>
    /// <param name="stopping">Cancels between two steps.</param>
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
        // The engine may have lost the image but kept its name.
        await images.RemoveAsync(image.ToString(), force: true, stopping);
    }

    /// <exception cref="ProblemException">The image is still corrupt after it was pulled again.</exception>
    public async Task RequireIntactAsync(ImageName image, string reference, CancellationToken stopping)
    {
        if (await images.IsIntactAsync(image.ToString(), stopping))
        {
            return;
        }
        var root = await disk.RootFolderAsync(stopping);
        throw new ProblemException(new Problem(ProblemCatalog.ImageStoreBroken,
            $"{reference} was pulled again and is still corrupt: Docker Engine keeps a corrupt layer, because something else uses it or " +
            "because its own records are damaged.",
            "Remove other containers and images that share its layers ('docker ps -a', 'docker images'). If that doesn't help, reset the " +
            $"engine's images: 'systemctl stop docker', remove {root}/image, {root}/overlay2 and {root}/containers (volumes stay), " +
            $"'systemctl start docker'. {ExceptionMapping.RetriesAutomatically}"));
    }

    /// <summary>An intact older version is not removed: it is the fallback.</summary>
    private async Task<bool> IsAlsoCorruptAsync(
        LocalImage other,
        string name,
        IReadOnlyList<string> layers,
        IReadOnlyList<ContainerUsingImage> containers,
        CancellationToken stopping)
    {
        if (containers.Any(container => container.ImageId == other.Id && container.IsAlive))
        {
            return false;
        }
        var sharesLayers = await images.LayersOfAsync(other, stopping) is not { } otherLayers ||
            DiskPreflight.SharedLayers(layers, otherLayers) > 0;
        return sharesLayers && !await images.IsIntactAsync(name, stopping);
    }

    private async Task RemoveAsync(
        LocalImage image, string name, IReadOnlyList<ContainerUsingImage> containers, CancellationToken stopping)
    {
        logger.RemovingCorruptImage(name);
        var stoppedOwn = containers.Where(container =>
            container.ImageId == image.Id && container.OwnerName == config.Container.Name && !container.IsAlive);
        foreach (var container in stoppedOwn)
        {
            await images.RemoveContainerAsync(container.Id, stopping);
        }
        await images.RemoveAsync(image.Id, force: true, stopping);
    }
}
