namespace RagAgent.Images;

/// <summary>A container that keeps its image from being removed.</summary>
/// <param name="Id">The container's ID.</param>
/// <param name="ImageId">Its <see cref="LocalImage.Id"/>.</param>
/// <param name="OwnerName">The name in the agent's label; null if no agent created the container.</param>
/// <param name="IsAlive">Whether it has a process.</param>
internal sealed record ContainerUsingImage(string Id, string ImageId, string? OwnerName, bool IsAlive);
