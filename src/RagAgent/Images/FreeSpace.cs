namespace RagAgent.Images;

/// <summary>Free bytes of the filesystem that contains a folder.</summary>
internal sealed record FreeSpace(string Path, long Bytes);
