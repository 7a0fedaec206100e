using System.Security.Cryptography;
using LocalAws.Signing;

namespace LocalAws.Metadata;

/// <summary>The credentials of the instance role: the same until five minutes before their end, then new ones beside the old.</summary>
public sealed class RoleCredentials(CredentialStore credentials, string account, TimeProvider clock)
{
    /// <summary>How long new credentials live: what EC2 gives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(6);

    private static readonly TimeSpan RenewalWindow = TimeSpan.FromMinutes(5);
    private readonly Lock _lock = new();
    private AwsCredential? _current;

    /// <summary>What is in use ends now, in the middle of its life; IMDS has new ones at the next question.</summary>
    public void ExpireAll()
    {
        lock (_lock)
        {
            credentials.ExpireSessions(clock.GetUtcNow());
            _current = null;
        }
    }

    internal AwsCredential Current(InstanceInfo instance)
    {
        lock (_lock)
        {
            if (_current is null || _current.Expires - RenewalWindow <= clock.GetUtcNow() || _current.PrincipalArn != Principal(instance))
            {
                _current = Issue(instance, clock.GetUtcNow() + Lifetime);
            }

            return _current;
        }
    }

    internal AwsCredential Expired(InstanceInfo instance) => Issue(instance, clock.GetUtcNow() - TimeSpan.FromDays(1));

    private AwsCredential Issue(InstanceInfo instance, DateTimeOffset expires)
    {
        var credential = new AwsCredential(
            "ASIA" + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(600)),
            expires,
            Principal(instance));
        credentials.Add(credential);
        return credential;
    }

    private string Principal(InstanceInfo instance) =>
        $"arn:aws:sts::{account}:assumed-role/{instance.RoleName}/{instance.InstanceId}";
}
