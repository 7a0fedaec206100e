namespace RagAgent.Images;

/// <summary>An image in the engine's list.</summary>
/// <param name="Id">The engine's own name for it; what it is a hash of differs by engine.</param>
/// <param name="Tags">All names of all repositories, <c>repository:tag</c>.</param>
/// <param name="Digests">The same by digest, <c>repository@sha256:…</c>.</param>
/// <param name="Size">Unpacked bytes, with the layers that it shares with others.</param>
internal sealed record LocalImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long Size)
{
    /// <summary>The names in one repository, tags first.</summary>
    public IEnumerable<string> NamesIn(string repository)
    {
        var familiar = ImageReference.FamiliarName(repository);
        return Tags.Where(tag => tag.StartsWith(familiar + ":", StringComparison.Ordinal) && !tag[(familiar.Length + 1)..].Contains('/'))
            .Concat(Digests.Where(digest => digest.StartsWith(familiar + "@", StringComparison.Ordinal)));
    }

    public bool Matches(RagAgent.Supervision.State.ImageName image) => Digests.Contains($"{ImageReference.FamiliarName(image.Repository)}@{image.Digest}");
}

/// <summary>A container as far as it keeps an image.</summary>
/// <param name="Id">Of the container.</param>
/// <param name="ImageId">As <see cref="LocalImage.Id"/>.</param>
/// <param name="OwnerName">The label that says which agent's it is; null: not one of ours.</param>
/// <param name="IsAlive">It has a process.</param>
internal sealed record ContainerUsingImage(string Id, string ImageId, string? OwnerName, bool IsAlive);

/// <summary>An image that the engine described.</summary>
/// <param name="Platform">What it was built for.</param>
/// <param name="Layers">Digests of its unpacked layers, from the bottom up.</param>
internal sealed record InspectedImage(Platform Platform, IReadOnlyList<string> Layers);
