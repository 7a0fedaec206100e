using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>From a tag to an image on disk.</summary>
internal sealed class ImageStore(
    AgentConfig config, IEcr ecr, RegistryClient registry, EnginePull pull, EngineImages images, EngineDisk disk, Repair repair, Retention retention) : IImages
{
    private readonly ImageReference _wanted = ImageReference.Parse(config.Image);

    // An index seldom changes while its tag stays: what it means for this machine is remembered.
    private (string TagDigest, string Digest)? _chosen;

    // The registry's host is known once it was asked; before that nothing says which images on disk are the app's.
    private string? _repository;

    public Task<Resolution> ResolveAsync(CancellationToken stopping) => WithAccessAsync(async access =>
    {
        var reference = Reference(access);
        var tagged = _wanted.Digest ?? _wanted.Tag;
        var pointer = await registry.ResolveAsync(access, _wanted.Path, tagged, reference, stopping);
        var digest = MediaTypes.IsIndex(pointer.MediaType) ? await ChooseAsync(access, pointer.Digest, reference, stopping) : pointer.Digest;
        _repository = $"{access.Host}/{_wanted.Path}";
        return new Resolution(reference, new ImageName(_repository, digest), pointer.Digest);
    }, stopping);

    public async Task<ImageOnDisk> EnsureAsync(Resolution resolution, bool anew, Action<PullProgress> progress, CancellationToken stopping)
    {
        var image = resolution.Image;
        if (!anew && await images.FindAsync(image.ToString(), stopping) is { } found)
        {
            RequirePlatform(found.Platform, resolution.Reference);
            await NameAsync(resolution, stopping);
            return new ImageOnDisk(image.Digest, 0);
        }
        var pulled = await WithAccessAsync(access => PullAsync(access, resolution, anew, progress, stopping), stopping);
        if (anew)
        {
            await repair.RequireWholeAsync(image, resolution.Reference, stopping);
        }
        if (await images.FindAsync(image.ToString(), stopping) is null)
        {
            throw new ProblemException(new Problem("pull-incomplete", $"Pulling {resolution.Reference} ended without an error, but the image is not on disk.", Problems.TriesAgain));
        }
        await NameAsync(resolution, stopping);
        return new ImageOnDisk(image.Digest, Math.Max(pulled, 1));
    }

    public Task<Collection> CollectAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping)
    {
        string[] repositories = [.. keep.Select(image => image.Repository).Append(_repository).OfType<string>().Distinct()];
        return retention.CollectAsync(repositories, keep, stopping);
    }

    /// <summary>All of a pull but the pull: what the tag means, whether it is for this machine, and whether its layers may be fetched.</summary>
    /// <returns>What the tag means, and the compressed bytes of its layers.</returns>
    public async Task<(Resolution Resolution, long Bytes)> SurveyAsync(CancellationToken stopping)
    {
        var resolution = await ResolveAsync(stopping);
        var (manifest, _) = await WithAccessAsync(access => DescribeAsync(access, resolution, stopping), stopping);
        return (resolution, manifest.Layers.Sum(layer => layer.Size));
    }

    /// <returns>The bytes that a pull of what the tag means needs, and those that are free; null: they can't be seen from here.</returns>
    /// <exception cref="ProblemException">It does not fit.</exception>
    public async Task<(long Needed, FreeSpace? Free)> SpaceAsync(CancellationToken stopping)
    {
        var resolution = await ResolveAsync(stopping);
        var free = await disk.FreeAsync(stopping);
        if (await images.FindAsync(resolution.Image.ToString(), stopping) is not null)
        {
            return (0, free);
        }
        var (manifest, diffIds) = await WithAccessAsync(access => DescribeAsync(access, resolution, stopping), stopping);
        var missing = DiskPreflight.MissingBytes(manifest.Layers, diffIds, await images.LayersAsync(await images.ListAsync(stopping), stopping));
        DiskPreflight.Require(missing, free, resolution.Reference);
        return (DiskPreflight.Needed(missing), free);
    }

    private async Task<(Manifest Manifest, IReadOnlyList<string> DiffIds)> DescribeAsync(RegistryAccess access, Resolution resolution, CancellationToken stopping)
    {
        var (reference, image) = (resolution.Reference, resolution.Image);
        // One to go back to may be of a repository that the configuration named before.
        var path = image.Repository.StartsWith($"{access.Host}/", StringComparison.Ordinal) ? image.Repository[(access.Host.Length + 1)..] : _wanted.Path;
        var manifest = Manifest.Parse(await registry.ManifestAsync(access, path, image.Digest, reference, stopping), reference);
        await pull.RequireReadableAsync(manifest, reference, stopping);
        var blob = await registry.BlobAsync(access, path, manifest.ConfigDigest, reference, stopping);
        RequirePlatform(Manifest.PlatformOf(blob, reference), reference);
        return (manifest, Manifest.DiffIdsOf(blob, reference));
    }

    private async Task<long> PullAsync(RegistryAccess access, Resolution resolution, bool anew, Action<PullProgress> progress, CancellationToken stopping)
    {
        var (manifest, diffIds) = await DescribeAsync(access, resolution, stopping);
        await RequireSpaceAsync(manifest, diffIds, resolution, anew, stopping);
        if (anew)
        {
            // Only now: without the registry, or without the space, a broken image is all there is.
            await repair.ClearAsync(resolution.Image, diffIds, stopping);
        }
        var tracker = new PullTracker(manifest.Layers);
        await pull.PullAsync(resolution.Image, resolution.Reference, access, tracker, progress, stopping);
        return tracker.MissingBytes;
    }

    private async Task RequireSpaceAsync(Manifest manifest, IReadOnlyList<string> diffIds, Resolution resolution, bool anew, CancellationToken stopping)
    {
        var local = await images.ListAsync(stopping);
        var replaced = anew ? local.FirstOrDefault(other => other.Is(resolution.Image)) : null;
        var onDisk = await images.LayersAsync([.. local.Where(other => other != replaced)], stopping);
        var free = await disk.FreeAsync(stopping);
        DiskPreflight.Require(
            DiskPreflight.MissingBytes(manifest.Layers, diffIds, onDisk),
            free is null || replaced is null ? free : free with { Bytes = free.Bytes + replaced.Size },   // it is removed before the pull
            resolution.Reference);
    }

    private async Task<string> ChooseAsync(RegistryAccess access, string tagDigest, string reference, CancellationToken stopping)
    {
        if (_chosen is { } known && known.TagDigest == tagDigest)
        {
            return known.Digest;
        }
        var index = await registry.ManifestAsync(access, _wanted.Path, tagDigest, reference, stopping);
        var digest = Manifest.Choose(index, Platform.OfThisMachine, reference);
        _chosen = (tagDigest, digest);
        return digest;
    }

    /// <summary>The tag's name is for what the tag means, not for an older image that is fetched by its digest.</summary>
    private Task NameAsync(Resolution resolution, CancellationToken stopping) =>
        _wanted.Digest is null && resolution.Reference != resolution.Image.ToString() ? images.TagAsync(resolution.Image, _wanted.Tag, stopping) : Task.CompletedTask;

    /// <summary>A token may have expired during a long idle, or been refused right after boot: one new one is worth a try, a third is not.</summary>
    private async Task<T> WithAccessAsync<T>(Func<RegistryAccess, Task<T>> call, CancellationToken stopping)
    {
        try
        {
            return await call(await AccessAsync(anew: false, stopping));
        }
        catch (ProblemException e) when (e.Problem.Code == RegistryProblems.TokenRefused)
        {
            try
            {
                return await call(await AccessAsync(anew: true, stopping));
            }
            catch (ProblemException again) when (again.Problem.Code == RegistryProblems.TokenRefused)
            {
                throw new ProblemException(again.Problem with
                {
                    Remedy = "A new token was refused as well: check the machine's clock, the registry's policy and aws.region. " + Problems.TriesAgain,
                }, again);
            }
        }
    }

    private Task<RegistryAccess> AccessAsync(bool anew, CancellationToken stopping)
    {
        var host = _wanted.Host;
        if (host is null || ecr.Owns(host))
        {
            return ecr.AccessAsync(host, anew, stopping);
        }
        var api = ImageReference.ApiHost(host);
        // The engine speaks plain HTTP to registries on loopback, and so do we.
        var scheme = Uri.TryCreate($"http://{api}", UriKind.Absolute, out var uri) && uri.IsLoopback ? "http" : "https";
        return Task.FromResult(new RegistryAccess(host, new Uri($"{scheme}://{api}"), null, null));
    }

    private string Reference(RegistryAccess access) =>
        $"{access.Host}/{_wanted.Path}{(_wanted.Digest is { } digest ? $"@{digest}" : $":{_wanted.Tag}")}";

    private static void RequirePlatform(Platform platform, string reference)
    {
        if (platform != Platform.OfThisMachine)
        {
            throw Manifest.WrongPlatform(reference, [platform], Platform.OfThisMachine);
        }
    }
}
