using System.Security.Cryptography;
using LocalAws.Signing;

namespace LocalAws.Metadata;

/// <summary>The credentials of the instance role: the same until five minutes before their end, then new ones beside the old.</summary>
public sealed class RoleCredentials(KnownCredentials known, string account, TimeProvider clock)
{
    /// <summary>How long new credentials live: what EC2 gives.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(6);

    private static readonly TimeSpan RenewedBefore = TimeSpan.FromMinutes(5);
    private readonly Lock _gate = new();
    private AwsCredential? _current;

    /// <summary>What is in use ends now, in the middle of its life; IMDS has new ones at the next question.</summary>
    public void ExpireAll()
    {
        lock (_gate)
        {
            known.ExpireSessions(clock.GetUtcNow());
            _current = null;
        }
    }

    internal AwsCredential Current(InstanceFacts instance)
    {
        lock (_gate)
        {
            if (_current is null || _current.Expires - RenewedBefore <= clock.GetUtcNow() || _current.PrincipalArn != Principal(instance))
                _current = Issue(instance, clock.GetUtcNow() + Life);
            return _current;
        }
    }

    internal AwsCredential Expired(InstanceFacts instance) => Issue(instance, clock.GetUtcNow() - TimeSpan.FromDays(1));

    private AwsCredential Issue(InstanceFacts instance, DateTimeOffset expires)
    {
        var credential = new AwsCredential(
            "ASIA" + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(600)),
            expires,
            Principal(instance));
        known.Add(credential);
        return credential;
    }

    private string Principal(InstanceFacts instance) =>
        $"arn:aws:sts::{account}:assumed-role/{instance.RoleName}/{instance.InstanceId}";
}
