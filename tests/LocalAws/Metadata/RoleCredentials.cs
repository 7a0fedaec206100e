using System.Security.Cryptography;
using LocalAws.Signing;

namespace LocalAws.Metadata;

/// <summary>The credentials of the instance role. New ones are issued five minutes before the old ones expire.</summary>
public sealed class RoleCredentials(CredentialStore credentials, string account, TimeProvider clock)
{
    /// <summary>The lifetime of new credentials, as on EC2.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(6);

    private static readonly TimeSpan RenewalWindow = TimeSpan.FromMinutes(5);
    private readonly Lock _lock = new();
    private AwsCredential? _current;

    /// <summary>Expires the current credentials. IMDS then issues new ones.</summary>
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
