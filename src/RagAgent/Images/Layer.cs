namespace RagAgent.Images;

/// <summary>One layer as the registry stores it.</summary>
/// <param name="Digest">The digest of the compressed bytes.</param>
/// <param name="Size">In compressed bytes.</param>
internal sealed record Layer(string Digest, long Size);
