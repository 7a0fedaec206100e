namespace LocalAws.Ssm;

/// <summary>The parameters, each with all its versions; in memory only.</summary>
public sealed class ParameterStore(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<StoredParameter>> _versions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _secrets = new(StringComparer.Ordinal);

    /// <summary>Adds a version. Nothing is checked or trimmed: an empty value can be stored, to see what a reader makes of it.</summary>
    /// <returns>The new version's number, from 1.</returns>
    public int Put(string name, string value, ParameterType type = ParameterType.SecureString)
    {
        lock (_lock)
        {
            if (!_versions.TryGetValue(name, out var versions))
            {
                _versions[name] = versions = [];
            }

            versions.Add(new StoredParameter(name, value, type, versions.Count + 1, clock.GetUtcNow()));
            return versions.Count;
        }
    }

    /// <summary>A secret of Secrets Manager, read through <c>/aws/reference/secretsmanager/NAME</c>.</summary>
    public void PutSecret(string name, string value)
    {
        lock (_lock)
        {
            _secrets[name] = value;
        }
    }

    /// <returns>False when there was none.</returns>
    public bool Remove(string name)
    {
        lock (_lock)
        {
            return _versions.Remove(name);
        }
    }

    internal StoredParameter? Latest(string name)
    {
        lock (_lock)
        {
            return _versions.GetValueOrDefault(name)?[^1];
        }
    }

    internal StoredParameter? Version(string name, int version)
    {
        lock (_lock)
        {
            return _versions.GetValueOrDefault(name)?.ElementAtOrDefault(version - 1);
        }
    }

    internal string? Secret(string name)
    {
        lock (_lock)
        {
            return _secrets.GetValueOrDefault(name);
        }
    }
}

internal sealed record StoredParameter(string Name, string Value, ParameterType Type, int Version, DateTimeOffset Modified);
