using System.Collections.Concurrent;

namespace LocalAws.Signing;

/// <summary>All accepted key pairs: the static ones and those of the instance role.</summary>
public sealed class CredentialStore
{
    private readonly ConcurrentDictionary<string, AwsCredential> _byId = new(StringComparer.Ordinal);

    public void Add(AwsCredential credential) => _byId[credential.AccessKeyId] = credential;

    public AwsCredential? Find(string accessKeyId) => _byId.GetValueOrDefault(accessKeyId);

    /// <summary>Expires all credentials with a session token. Static pairs stay valid.</summary>
    public void ExpireSessions(DateTimeOffset now)
    {
        foreach (var credential in _byId.Values.Where(c => c.SessionToken is not null))
        {
            _byId[credential.AccessKeyId] = credential with { Expires = now };
        }
    }
}
