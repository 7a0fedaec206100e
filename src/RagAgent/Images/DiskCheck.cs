using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Images;

/// <summary>Is there enough disk space to pull the newest image?</summary>
internal sealed class DiskCheck(ImageStore images) : ICheck
{
    public string Name => "disk";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var (needed, free) = await images.CheckSpaceAsync(stopping);
        return (needed, free) switch
        {
            (_, null) => CheckResult.Skipped("This user can't see how much disk space is free where Docker stores images."),
            (0, { } space) => CheckResult.Ok($"The newest image is on disk; {Humanize.Bytes(space.Bytes)} free on {space.Path}."),
            (_, { } space) => CheckResult.Ok($"A pull needs {Humanize.Bytes(needed)}; {Humanize.Bytes(space.Bytes)} free on {space.Path}."),
        };
    }
}
