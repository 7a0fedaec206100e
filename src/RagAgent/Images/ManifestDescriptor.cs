namespace RagAgent.Images;

/// <summary>What a tag points to: an image's manifest or an index.</summary>
internal sealed record ManifestDescriptor(string Digest, string? MediaType);
