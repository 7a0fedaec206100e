using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What runs: an image, the part of the configuration that shapes its container, and the versions of its secrets.</summary>
/// <remarks>Two containers of the same release are interchangeable; one of another release is replaced.</remarks>
/// <param name="Image">The image by digest.</param>
/// <param name="ConfigFingerprint">Of everything in the configuration that shapes the container.</param>
/// <param name="SecretsFingerprint">Of the secrets' versions, never of their values.</param>
internal sealed record Release(ImageName Image, string ConfigFingerprint, string SecretsFingerprint)
{
    /// <summary>Twelve hex digits; the same release has the same id on every machine.</summary>
    public string Id => Fingerprint.Of(Image.Digest, ConfigFingerprint, SecretsFingerprint);
}

/// <summary>An image as the engine finds it on disk, whatever the tag says by then.</summary>
/// <param name="Repository"><c>host/repository</c>, without a tag.</param>
/// <param name="Digest">The manifest digest for this machine's platform, <c>sha256:…</c>.</param>
internal sealed record ImageName(string Repository, string Digest)
{
    public override string ToString() => $"{Repository}@{Digest}";
}

/// <summary>What a tag meant when the registry was asked.</summary>
/// <param name="Reference">As an operator writes it, <c>host/repository:tag</c>.</param>
/// <param name="Image">The manifest for this machine's platform: what is pulled, run, labelled and reported.</param>
/// <param name="TagDigest">What the tag itself points to; another digest than the image's when that is an index.</param>
internal sealed record Resolution(string Reference, ImageName Image, string TagDigest);

/// <summary>Which versions of the secrets the agent holds in memory.</summary>
/// <param name="Fingerprint">Names them in a release.</param>
/// <param name="Versions">For people: <c>OPENAI_API_KEY=3</c>; no values.</param>
/// <param name="Warnings">What an operator should change though it works.</param>
internal sealed record SecretVersions(string Fingerprint, IReadOnlyList<string> Versions, IReadOnlyList<string> Warnings);

/// <summary>An image that is on this machine's disk.</summary>
/// <param name="Digest">Its manifest digest.</param>
/// <param name="PulledBytes">Bytes that had to be transferred for it; 0 when it was there already.</param>
internal sealed record FetchedImage(string Digest, long PulledBytes);

/// <summary>What a removal of old images brought.</summary>
/// <param name="Removed">Images that are gone.</param>
/// <param name="FreedBytes">As the disk shows it; an estimate, for others write there too.</param>
internal sealed record ImageCleanupResult(int Removed, long FreedBytes);

/// <summary>How far a pull is.</summary>
/// <param name="Fraction">0 to 1, weighted by bytes; never goes back within one pull.</param>
/// <param name="DownloadedBytes">Compressed bytes that have arrived.</param>
/// <param name="TotalBytes">Compressed bytes of all layers that were missing.</param>
internal sealed record PullProgress(double Fraction, long DownloadedBytes, long TotalBytes)
{
    public int Percent => (int)(Fraction * 100);
}
