using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What runs: an image, the part of the configuration that shapes its container, and the versions of its secrets.</summary>
/// <remarks>Two containers of the same release are interchangeable; a container of another release gets replaced.</remarks>
/// <param name="Image">The image by digest.</param>
/// <param name="ConfigFingerprint">The fingerprint of everything in the configuration that shapes the container.</param>
/// <param name="SecretsFingerprint">The fingerprint of the secrets' versions, never of their values.</param>
internal sealed record Release(ImageName Image, string ConfigFingerprint, string SecretsFingerprint)
{
    /// <summary>Twelve hex digits; the same release has the same id on every machine.</summary>
    public string Id => Fingerprint.Of(Image.Digest, ConfigFingerprint, SecretsFingerprint);
}
