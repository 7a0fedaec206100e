namespace RagAgent.Supervision.State;

/// <summary>The identity of an image, independent of any tag.</summary>
/// <param name="Repository"><c>host/repository</c>, without a tag.</param>
/// <param name="Digest">The manifest digest for this machine's platform, <c>sha256:…</c>.</param>
internal sealed record ImageName(string Repository, string Digest)
{
    public override string ToString() => $"{Repository}@{Digest}";
}
