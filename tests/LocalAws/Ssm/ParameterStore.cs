namespace LocalAws.Ssm;

/// <summary>The parameters with all their versions, in memory only.</summary>
public sealed class ParameterStore(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<StoredParameter>> _versions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _secrets = new(StringComparer.Ordinal);

    /// <summary>Adds a version. Nothing is validated or trimmed, so a test can store an empty value.</summary>
    /// <returns>The new version, counted from 1.</returns>
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

    /// <summary>Stores a secret of Secrets Manager, which is read through <c>/aws/reference/secretsmanager/NAME</c>.</summary>
    public void PutSecret(string name, string value)
    {
        lock (_lock)
        {
            _secrets[name] = value;
        }
    }

    /// <returns>False if there was no such parameter.</returns>
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
