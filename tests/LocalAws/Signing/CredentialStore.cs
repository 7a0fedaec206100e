using System.Collections.Concurrent;

namespace LocalAws.Signing;

/// <summary>Every key pair that a signature may be made with: the static ones and those that the instance role was given.</summary>
public sealed class CredentialStore
{
    private readonly ConcurrentDictionary<string, AwsCredential> _byId = new(StringComparer.Ordinal);

    public void Add(AwsCredential credential) => _byId[credential.AccessKeyId] = credential;

    public AwsCredential? Find(string accessKeyId) => _byId.GetValueOrDefault(accessKeyId);

    /// <summary>Ends every credential that has a session token; static pairs stay.</summary>
    public void ExpireSessions(DateTimeOffset now)
    {
        foreach (var credential in _byId.Values.Where(c => c.SessionToken is not null))
        {
            _byId[credential.AccessKeyId] = credential with { Expires = now };
        }
    }
}
