namespace RagAgent.Supervision.State;

/// <param name="Image">The image.</param>
/// <param name="IsCorrupt">It is there, but broken; otherwise it is gone.</param>
internal sealed record Defect(ImageName Image, bool IsCorrupt);
