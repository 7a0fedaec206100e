using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The registry and the images on disk.</summary>
internal interface IImages
{
    Task<Resolution> ResolveAsync(CancellationToken stopping);

    /// <param name="resolution">The image to have on disk.</param>
    /// <param name="progress">Called from the pull's own thread; not throttled.</param>
    /// <param name="stopping">Ends the pull; some engines then discard even the complete layers.</param>
    /// <param name="refresh">What is on disk turned out to be broken: it is removed first, but only once the registry has shown that it can
    /// be had again.</param>
    Task<FetchedImage> FetchAsync(Resolution resolution, bool refresh, Action<PullProgress> progress, CancellationToken stopping);

    /// <summary>Removes images of the app's repository from the disk, except those to keep and those that a container uses.</summary>
    Task<ImageCleanupResult> CleanUpAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping);
}
