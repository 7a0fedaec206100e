namespace RagAgent.Common;

/// <summary>An image reference in its parts: <c>[host/]path[:tag][@digest]</c>, the grammar of the CNCF distribution project.</summary>
/// <param name="Host">The registry with its port; null for a bare repository name, which means the instance's own ECR.</param>
/// <param name="Path">The repository's name in its registry.</param>
/// <param name="Tag">Defaults to <c>latest</c>.</param>
/// <param name="Digest">If set, the image is pinned and the tag is not resolved.</param>
internal sealed record ImageReference(string? Host, string Path, string Tag, string? Digest)
{
    private const string DockerHub = "docker.io";
    private const string OfficialImages = "library/";

    /// <summary>Parses a reference that the configuration's rules have accepted.</summary>
    public static ImageReference Parse(string text)
    {
        var (host, path, tag, digest) = Split(text);
        var isOfficial = host == DockerHub && !path.Contains('/');
        return new ImageReference(host, isOfficial ? OfficialImages + path : path, tag ?? "latest", digest);
    }

    /// <summary>Splits any text at the separators of the grammar. Whether the parts are valid is for the caller to judge.</summary>
    public static (string? Host, string Path, string? Tag, string? Digest) Split(string text)
    {
        var (name, digest) = SplitAt(text, text.IndexOf('@'));
        var colon = name.LastIndexOf(':');
        (name, var tag) = SplitAt(name, colon > name.LastIndexOf('/') ? colon : -1);
        var (host, path) = SplitHost(name);
        return (host, path, tag, digest);
    }

    /// <summary>The host that answers the registry's API. Docker Hub's differs from its name.</summary>
    public static string ApiHost(string host) => host == DockerHub ? "registry-1.docker.io" : host;

    /// <summary>
    /// A repository's name as the engine lists it: without Docker Hub's host and without the path of its official images.
    /// </summary>
    public static string FamiliarName(string repository)
    {
        var (host, path) = SplitHost(repository);
        return host != DockerHub ? repository
            : path.StartsWith(OfficialImages, StringComparison.Ordinal) ? path[OfficialImages.Length..]
            : path;
    }

    /// <summary>The opposite of <see cref="FamiliarName"/>: the full name of an image that the engine lists.</summary>
    public static string CanonicalName(string listed)
    {
        var (host, path) = SplitHost(listed);
        return host is not null ? listed : $"{DockerHub}/{(path.Contains('/') ? "" : OfficialImages)}{path}";
    }

    private static (string? Host, string Path) SplitHost(string name)
    {
        var slash = name.IndexOf('/');
        return slash > 0 && IsHost(name.AsSpan(0, slash)) ? (name[..slash], name[(slash + 1)..]) : (null, name);
    }

    /// <summary>Only a dot, a port, brackets or the name <c>localhost</c> tell a registry's host from the first part of a path.</summary>
    private static bool IsHost(ReadOnlySpan<char> part) => part is "localhost" || part.ContainsAny('.', ':', '[');

    private static (string Before, string? After) SplitAt(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);
}
