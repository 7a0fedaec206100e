using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Removes images of the app that are no longer needed.</summary>
internal sealed class Retention(EngineImages images, EngineDisk disk, ILogger<Retention> logger)
{
    /// <param name="repositories">The app's repositories. Images in other repositories are left alone.</param>
    /// <param name="keep">These images are never removed.</param>
    /// <param name="stopping">Cancels between two removals.</param>
    /// <exception cref="ProblemException">
    /// The engine doesn't answer. The rest is left for the next cleanup, because pulls wait for this one.
    /// </exception>
    public async Task<ImageCleanupResult> CleanUpAsync(
        IReadOnlyCollection<string> repositories, IReadOnlyCollection<ImageName> keep, CancellationToken stopping)
    {
        // If a container is created after this list, the engine itself refuses to remove its image.
        var usedImageIds = (await images.ListContainersAsync(stopping)).Select(container => container.ImageId).ToHashSet();
        var removable = Removable(await images.ListAsync(stopping), usedImageIds, repositories, keep);
        if (removable.Count == 0)
        {
            return new ImageCleanupResult(0, 0);
        }
        var before = await disk.FreeSpaceAsync(stopping);
        var removed = new List<LocalImage>();
        foreach (var (image, names) in removable)
        {
            if (await TryRemoveAsync(names, stopping))
            {
                removed.Add(image);
            }
        }
        var after = await disk.FreeSpaceAsync(stopping);
        var freed = before is not null && after is not null ? Math.Max(0, after.Bytes - before.Bytes) : removed.Sum(image => image.Size);
        return new ImageCleanupResult(removed.Count, freed);
    }

    /// <summary>
    /// The images to remove, each with its names in the app's repositories. An image with other names keeps those and stays.
    /// </summary>
    public static IReadOnlyList<(LocalImage Image, IReadOnlyList<string> Names)> Removable(
        IReadOnlyList<LocalImage> images,
        IReadOnlySet<string> usedImageIds,
        IReadOnlyCollection<string> repositories,
        IReadOnlyCollection<ImageName> keep) =>
        [.. from image in images
            where !usedImageIds.Contains(image.Id) && !keep.Any(image.Matches)
            let names = (IReadOnlyList<string>)[.. repositories.SelectMany(image.NamesIn).Distinct()]
            where names.Count > 0
            select (image, names)];

    /// <summary>Never forced, so that an image that something still uses stays.</summary>
    private async Task<bool> TryRemoveAsync(IReadOnlyList<string> names, CancellationToken stopping)
    {
        try
        {
            var isGone = false;
            foreach (var name in names)
            {
                isGone |= await images.RemoveAsync(name, force: false, stopping);
            }
            return isGone;
        }
        catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
        {
            logger.ImageNotRemoved(names[0], exception.Problem);   // the next cleanup tries again
            return false;
        }
    }
}
