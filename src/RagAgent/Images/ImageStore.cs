using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Resolves the tag, pulls its image and cleans up old ones.</summary>
internal sealed class ImageStore(
    AgentConfig config,
    IRegistryAuthenticator authenticator,
    RegistryClient registry,
    EnginePull pull,
    EngineImages images,
    EngineDisk disk,
    ImageRepair repair,
    Retention retention) : IImages
{
    private readonly ImageReference _reference = ImageReference.Parse(config.Image);

    // The image that an index lists for this machine, so that an unchanged tag costs one request.
    private (string TagDigest, string Digest)? _selectedFromIndex;

    // Known after the first request to the registry. Before that, nothing tells which images on disk are the app's.
    private string? _repository;

    public Task<Resolution> ResolveAsync(CancellationToken stopping) => WithAccessAsync(async access =>
    {
        var reference = FullReference(access);
        var tagOrDigest = _reference.Digest ?? _reference.Tag;
        var descriptor = await registry.ResolveAsync(access, _reference.Path, tagOrDigest, reference, stopping);
        var digest = MediaTypes.IsIndex(descriptor.MediaType)
            ? await SelectPlatformAsync(access, descriptor.Digest, reference, stopping)
            : descriptor.Digest;
        _repository = $"{access.Host}/{_reference.Path}";
        return new Resolution(reference, new ImageName(_repository, digest), descriptor.Digest);
    }, stopping);

    public async Task<FetchedImage> FetchAsync(
        Resolution resolution, bool refresh, Action<PullProgress> progress, CancellationToken stopping)
    {
        var image = resolution.Image;
        if (!refresh && await images.FindAsync(image.ToString(), stopping) is { } inspected)
        {
            RequirePlatform(inspected.Platform, resolution.Reference);
            await TagAsync(resolution, stopping);
            return new FetchedImage(image.Digest, 0);
        }
        var pulled = await WithAccessAsync(access => PullAsync(access, resolution, refresh, progress, stopping), stopping);
        if (refresh)
        {
            await repair.RequireIntactAsync(image, resolution.Reference, stopping);
        }
        if (await images.FindAsync(image.ToString(), stopping) is null)
        {
            throw new ProblemException(new Problem(ProblemCatalog.PullIncomplete,
                $"Pulling {resolution.Reference} ended without an error, but the image is not on disk.",
                ExceptionMapping.RetriesAutomatically));
        }
        await TagAsync(resolution, stopping);
        return new FetchedImage(image.Digest, Math.Max(pulled, 1));
    }

    public Task<ImageCleanupResult> CleanUpAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping)
    {
        string[] repositories = [.. keep.Select(image => image.Repository).Append(_repository).OfType<string>().Distinct()];
        return retention.CleanUpAsync(repositories, keep, stopping);
    }

    /// <summary>Does everything before a pull: resolves the tag and checks the platform and the permission to pull.</summary>
    /// <returns>The resolved tag and the compressed bytes of its layers.</returns>
    public async Task<(Resolution Resolution, long Bytes)> PreflightAsync(CancellationToken stopping)
    {
        var resolution = await ResolveAsync(stopping);
        var (manifest, _) = await WithAccessAsync(access => ReadManifestAsync(access, resolution, stopping), stopping);
        return (resolution, manifest.Layers.Sum(layer => layer.Size));
    }

    /// <returns>The bytes that a pull needs, and those that are free; null if this user can't see the disk.</returns>
    /// <exception cref="ProblemException">The image doesn't fit.</exception>
    public async Task<(long Needed, FreeSpace? Free)> CheckSpaceAsync(CancellationToken stopping)
    {
        var resolution = await ResolveAsync(stopping);
        var free = await disk.FreeSpaceAsync(stopping);
        if (await images.FindAsync(resolution.Image.ToString(), stopping) is not null)
        {
            return (0, free);
        }
        var (manifest, diffIds) = await WithAccessAsync(access => ReadManifestAsync(access, resolution, stopping), stopping);
        var onDisk = await images.LayersAsync(await images.ListAsync(stopping), stopping);
        var missing = DiskPreflight.MissingBytes(manifest.Layers, diffIds, onDisk);
        DiskPreflight.RequireSpace(missing, free, resolution.Reference);
        return (DiskPreflight.RequiredBytes(missing), free);
    }

    private async Task<(Manifest Manifest, IReadOnlyList<string> DiffIds)> ReadManifestAsync(
        RegistryLogin access, Resolution resolution, CancellationToken stopping)
    {
        var (reference, image) = (resolution.Reference, resolution.Image);
        // A rollback may need an image from the repository that the configuration named before.
        var path = image.Repository.StartsWith($"{access.Host}/", StringComparison.Ordinal)
            ? image.Repository[(access.Host.Length + 1)..]
            : _reference.Path;
        var manifest = Manifest.Parse(await registry.GetManifestAsync(access, path, image.Digest, reference, stopping), reference);
        await pull.RequireSupportedCompressionAsync(manifest, reference, stopping);
        var blob = await registry.GetBlobAsync(access, path, manifest.ConfigDigest, reference, stopping);
        RequirePlatform(Manifest.ReadPlatform(blob, reference), reference);
        return (manifest, Manifest.ReadDiffIds(blob, reference));
    }

    private async Task<long> PullAsync(
        RegistryLogin access, Resolution resolution, bool refresh, Action<PullProgress> progress, CancellationToken stopping)
    {
        var (manifest, diffIds) = await ReadManifestAsync(access, resolution, stopping);
        await RequireSpaceAsync(manifest, diffIds, resolution, refresh, stopping);
        if (refresh)
        {
            // Not earlier: if the registry or the space is missing, the corrupt image is all there is.
            await repair.RemoveCorruptAsync(resolution.Image, diffIds, stopping);
        }
        var tracker = new PullTracker(manifest.Layers);
        await pull.PullAsync(resolution.Image, resolution.Reference, access, tracker, progress, stopping);
        return tracker.MissingBytes;
    }

    private async Task RequireSpaceAsync(
        Manifest manifest, IReadOnlyList<string> diffIds, Resolution resolution, bool refresh, CancellationToken stopping)
    {
        var local = await images.ListAsync(stopping);
        var replaced = refresh ? local.FirstOrDefault(other => other.Matches(resolution.Image)) : null;
        var onDisk = await images.LayersAsync([.. local.Where(other => other != replaced)], stopping);
        var free = await disk.FreeSpaceAsync(stopping);
        DiskPreflight.RequireSpace(
            DiskPreflight.MissingBytes(manifest.Layers, diffIds, onDisk),
            free is null || replaced is null ? free : free with { Bytes = free.Bytes + replaced.Size },   // it is removed before the pull
            resolution.Reference);
    }

    private async Task<string> SelectPlatformAsync(
        RegistryLogin access, string tagDigest, string reference, CancellationToken stopping)
    {
        if (_selectedFromIndex is { } cached && cached.TagDigest == tagDigest)
        {
            return cached.Digest;
        }
        var index = await registry.GetManifestAsync(access, _reference.Path, tagDigest, reference, stopping);
        var digest = Manifest.SelectForPlatform(index, Platform.Current, reference);
        _selectedFromIndex = (tagDigest, digest);
        return digest;
    }

    /// <summary>Tags the image that the tag points to, but not an older image that is fetched by its digest.</summary>
    private Task TagAsync(Resolution resolution, CancellationToken stopping) =>
        _reference.Digest is null && resolution.Reference != resolution.Image.ToString()
            ? images.TagAsync(resolution.Image, _reference.Tag, stopping)
            : Task.CompletedTask;

    /// <summary>
    /// Tries once more with a new token if the first is refused: it may have expired, or not be valid yet right after boot.
    /// </summary>
    private async Task<T> WithAccessAsync<T>(Func<RegistryLogin, Task<T>> call, CancellationToken stopping)
    {
        try
        {
            return await call(await GetAccessAsync(refresh: false, stopping));
        }
        catch (ProblemException exception) when (exception.Problem.Kind == RegistryProblems.TokenRefused)
        {
            try
            {
                return await call(await GetAccessAsync(refresh: true, stopping));
            }
            catch (ProblemException retried) when (retried.Problem.Kind == RegistryProblems.TokenRefused)
            {
                throw new ProblemException(retried.Problem with
                {
                    Remedy = "A new token was also refused: check the machine's clock, the registry's policy and aws.region. " +
                        ExceptionMapping.RetriesAutomatically,
                }, retried);
            }
        }
    }

    private Task<RegistryLogin> GetAccessAsync(bool refresh, CancellationToken stopping)
    {
        var host = _reference.Host;
        if (host is null || authenticator.Handles(host))
        {
            return authenticator.AuthenticateAsync(host, refresh, stopping);
        }
        var api = ImageReference.ApiHost(host);
        // Like the engine, use plain HTTP for registries on loopback.
        var scheme = Uri.TryCreate($"http://{api}", UriKind.Absolute, out var uri) && uri.IsLoopback ? "http" : "https";
        return Task.FromResult(new RegistryLogin(host, new Uri($"{scheme}://{api}"), null, null));
    }

    private string FullReference(RegistryLogin access) =>
        $"{access.Host}/{_reference.Path}{(_reference.Digest is { } digest ? $"@{digest}" : $":{_reference.Tag}")}";

    private static void RequirePlatform(Platform platform, string reference)
    {
        if (platform != Platform.Current)
        {
            throw Manifest.PlatformMismatch(reference, [platform], Platform.Current);
        }
    }
}
