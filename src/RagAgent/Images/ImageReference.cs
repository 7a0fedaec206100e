namespace RagAgent.Images;

/// <summary>An image reference taken apart: <c>[host/]path[:tag][@digest]</c>, the distribution project's grammar.</summary>
/// <param name="Host">The registry; null for a bare repository name, which means the instance's own ECR.</param>
/// <param name="Path">The repository's name in its registry.</param>
/// <param name="Tag">Defaults to <c>latest</c>.</param>
/// <param name="Digest">When set, the image is pinned and the tag is not looked up.</param>
internal sealed record ImageReference(string? Host, string Path, string Tag, string? Digest)
{
    private const string DockerHub = "docker.io";

    /// <summary>Takes a reference apart that the configuration's rules have accepted.</summary>
    public static ImageReference Parse(string text)
    {
        var (name, digest) = SplitAt(text, text.IndexOf('@'));
        var colon = name.LastIndexOf(':');
        (name, var tag) = SplitAt(name, colon > name.LastIndexOf('/') ? colon : -1);
        var slash = name.IndexOf('/');
        var first = slash > 0 ? name[..slash] : "";
        var isHost = first == "localhost" || first.AsSpan().ContainsAny('.', ':', '[');
        var host = isHost ? first : null;
        var path = isHost ? name[(slash + 1)..] : name;
        if (host == DockerHub && !path.Contains('/'))
        {
            path = "library/" + path;
        }
        return new ImageReference(host, path, tag ?? "latest", digest);
    }

    /// <summary>Where the registry's API answers; Docker Hub's differs from its name.</summary>
    public static string ApiHost(string host) => host == DockerHub ? "registry-1.docker.io" : host;

    /// <summary>A repository's name as the engine lists it: Docker Hub's host, and its own library's path, are left out.</summary>
    public static string FamiliarName(string repository) =>
        repository.StartsWith(DockerHub + "/library/", StringComparison.Ordinal) ? repository[(DockerHub.Length + "/library/".Length)..]
        : repository.StartsWith(DockerHub + "/", StringComparison.Ordinal) ? repository[(DockerHub.Length + 1)..]
        : repository;

    private static (string Before, string? After) SplitAt(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
}
