using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Images;

/// <summary>May the image be had, and is it for this machine?</summary>
internal sealed class RegistryCheck(ImageStore images) : ICheck
{
    public string Name => "registry";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var (resolution, bytes) = await images.PreflightAsync(stopping);
        return CheckResult.Ok($"{resolution.Reference} is {Humanize.Digest(resolution.Image.Digest)}, for this machine ({Platform.Current}), {Humanize.Bytes(bytes)} in all; its layers may be fetched.");
    }
}

/// <summary>Does it fit?</summary>
internal sealed class DiskCheck(ImageStore images) : ICheck
{
    public string Name => "disk";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var (needed, free) = await images.CheckSpaceAsync(stopping);
        return (needed, free) switch
        {
            (_, null) => CheckResult.Skipped("How much is free where Docker keeps its images can't be seen by this user."),
            (0, { } space) => CheckResult.Ok($"The newest image is on disk; {Humanize.Bytes(space.Bytes)} are free on {space.Path}."),
            (_, { } space) => CheckResult.Ok($"A pull needs {Humanize.Bytes(needed)}; {Humanize.Bytes(space.Bytes)} are free on {space.Path}."),
        };
    }
}
