namespace RagAgent.Supervision.State;

/// <summary>An image that should be on disk but can't be started from there.</summary>
/// <param name="Image">The image.</param>
/// <param name="IsCorrupt">It is on disk but broken; otherwise it is missing.</param>
internal sealed record ImageDefect(ImageName Image, bool IsCorrupt);
