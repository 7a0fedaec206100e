using RagAgent.Common;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Images;

/// <summary>Can the image be pulled, and is it built for this machine?</summary>
internal sealed class RegistryCheck(ImageStore images) : ICheck
{
    public string Name => "registry";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var (resolution, bytes) = await images.PreflightAsync(stopping);
        return CheckResult.Ok(
            $"{resolution.Reference} is {Humanize.Digest(resolution.Image.Digest)}, built for this machine ({Platform.Current}), " +
            $"{Humanize.Bytes(bytes)} compressed; the agent may pull it.");
    }
}
