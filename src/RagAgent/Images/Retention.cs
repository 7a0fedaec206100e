using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Which images of the app may go, and their removal.</summary>
internal sealed class Retention(EngineImages images, EngineDisk disk, ILogger<Retention> logger)
{
    /// <param name="repositories">The app's own; images of others are left alone.</param>
    /// <param name="keep">Never removed.</param>
    /// <param name="stopping">Ends it between two removals.</param>
    /// <exception cref="ProblemException">The engine does not answer: pulls wait for this, so the rest is left for the next time.</exception>
    public async Task<ImageCleanupResult> CleanUpAsync(IReadOnlyCollection<string> repositories, IReadOnlyCollection<ImageName> keep, CancellationToken stopping)
    {
        // Of a container that is created after this look the engine itself says that its image is in use.
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

    /// <summary>The images that may go, each with its names in the app's repositories: names of others stay, and the image with them.</summary>
    public static IReadOnlyList<(LocalImage Image, IReadOnlyList<string> Names)> Removable(
        IReadOnlyList<LocalImage> images, IReadOnlySet<string> usedImageIds, IReadOnlyCollection<string> repositories, IReadOnlyCollection<ImageName> keep) =>
        [.. from image in images
            where !usedImageIds.Contains(image.Id) && !keep.Any(image.Matches)
            let names = (IReadOnlyList<string>)[.. repositories.SelectMany(image.NamesIn).Distinct()]
            where names.Count > 0
            select (image, names)];

    /// <summary>Never by force: an image that something uses after all stays.</summary>
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
            logger.ImageNotRemoved(names[0], exception.Problem);   // the next collection meets it again
            return false;
        }
    }
}
