using System.Collections.Concurrent;

namespace LocalAws.Registry;

/// <summary>The existing repositories: those created here, and those found in the storage at start.</summary>
public sealed class Repositories
{
    private readonly ConcurrentDictionary<string, bool> _names = new(StringComparer.Ordinal);

    internal Repositories(string storageDirectory)
    {
        var root = Path.Combine(storageDirectory, "docker", "registry", "v2", "repositories");
        if (!Directory.Exists(root))
        {
            return;
        }

        foreach (var manifests in Directory.EnumerateDirectories(root, "_manifests", SearchOption.AllDirectories))
        {
            Create(Path.GetRelativePath(root, Path.GetDirectoryName(manifests)!));
        }
    }

    public IReadOnlyList<string> Names => [.. _names.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Does nothing if the repository exists.</summary>
    public void Create(string name) => _names[name] = true;

    public bool Exists(string name) => _names.ContainsKey(name);
}
