namespace RagAgent.Supervision.State;

/// <summary>An image as the engine finds it on disk, whatever the tag says by then.</summary>
/// <param name="Repository"><c>host/repository</c>, without a tag.</param>
/// <param name="Digest">The manifest digest for this machine's platform, <c>sha256:…</c>.</param>
internal sealed record ImageName(string Repository, string Digest)
{
    public override string ToString() => $"{Repository}@{Digest}";
}
