using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>From a tag to an image on disk.</summary>
internal sealed class ImageStore(AgentConfig config, IEcr ecr, RegistryClient registry, EnginePull engine) : IImages
{
    private readonly ImageReference _wanted = ImageReference.Parse(config.Image);

    // An index seldom changes while its tag stays: what it means for this machine is remembered.
    private (string TagDigest, string Digest)? _chosen;

    public Task<Resolution> ResolveAsync(CancellationToken stopping) => WithAccessAsync(async access =>
    {
        var reference = Reference(access);
        var tagged = _wanted.Digest ?? _wanted.Tag;
        var pointer = await registry.ResolveAsync(access, _wanted.Path, tagged, reference, stopping);
        var digest = MediaTypes.IsIndex(pointer.MediaType) ? await ChooseAsync(access, pointer.Digest, reference, stopping) : pointer.Digest;
        return new Resolution(reference, new ImageName($"{access.Host}/{_wanted.Path}", digest), pointer.Digest);
    }, stopping);

    public async Task<ImageOnDisk> EnsureAsync(Resolution resolution, bool anew, Action<PullProgress> progress, CancellationToken stopping)
    {
        var image = resolution.Image;
        if (await engine.FindAsync(image, stopping) is { } platform)
        {
            RequirePlatform(platform, resolution.Reference);
            await NameAsync(image, stopping);
            return new ImageOnDisk(image.Digest, 0);
        }
        var pulled = await WithAccessAsync(async access =>
        {
            var manifest = Manifest.Parse(await registry.ManifestAsync(access, _wanted.Path, image.Digest, resolution.Reference, stopping), resolution.Reference);
            var config = await registry.BlobAsync(access, _wanted.Path, manifest.ConfigDigest, resolution.Reference, stopping);
            RequirePlatform(Manifest.PlatformOf(config, resolution.Reference), resolution.Reference);
            var tracker = new PullTracker(manifest.LayerSizes);
            await engine.PullAsync(image, resolution.Reference, access, tracker, progress, stopping);
            return tracker.MissingBytes;
        }, stopping);
        if (await engine.FindAsync(image, stopping) is null)
        {
            throw new ProblemException(new Problem("pull-incomplete", $"Pulling {resolution.Reference} ended without an error, but the image is not on disk.", Problems.TriesAgain));
        }
        await NameAsync(image, stopping);
        return new ImageOnDisk(image.Digest, Math.Max(pulled, 1));
    }

    public Task<Collection> CollectAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping) => Task.FromResult(new Collection(0, 0));

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

    private Task NameAsync(ImageName image, CancellationToken stopping) =>
        _wanted.Digest is null ? engine.TagAsync(image, _wanted.Tag, stopping) : Task.CompletedTask;

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
