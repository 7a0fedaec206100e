using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>An image in the engine's list.</summary>
/// <param name="Id">The engine's ID. What it is a hash of depends on the engine's image store.</param>
/// <param name="Tags">Its names in all repositories, as <c>repository:tag</c>.</param>
/// <param name="Digests">Its names by digest, as <c>repository@sha256:…</c>.</param>
/// <param name="Size">Unpacked bytes, including layers that other images share.</param>
internal sealed record LocalImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, long Size)
{
    /// <summary>Its names in one repository, tags first.</summary>
    public IEnumerable<string> NamesIn(string repository)
    {
        var familiar = ImageReference.FamiliarName(repository);
        return Tags.Where(tag => tag.StartsWith(familiar + ":", StringComparison.Ordinal) && !tag[(familiar.Length + 1)..].Contains('/'))
            .Concat(Digests.Where(digest => digest.StartsWith(familiar + "@", StringComparison.Ordinal)));
    }

    public bool Matches(ImageName image) => Digests.Contains($"{ImageReference.FamiliarName(image.Repository)}@{image.Digest}");
}
