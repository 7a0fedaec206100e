using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace LocalAws.Ecr;

/// <summary>The passwords that the registry accepts, and when they expire.</summary>
public sealed class RegistryTokens(TimeProvider clock)
{
    /// <summary>A token's lifetime, as in ECR.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private readonly ConcurrentDictionary<string, IssuedToken> _issued = new(StringComparer.Ordinal);

    /// <summary>For pushes by a test or a script. Never expires, whatever happens to the agent's tokens.</summary>
    public string PublisherPassword { get; } = NewPassword();

    /// <summary>Expires all tokens issued so far.</summary>
    public void ExpireAll()
    {
        foreach (var (password, issued) in _issued)
        {
            _issued[password] = issued with { Expires = clock.GetUtcNow() };
        }
    }

    internal (string Password, DateTimeOffset Expires) Issue(string principal)
    {
        var password = NewPassword();
        var expires = clock.GetUtcNow() + Lifetime;
        _issued[password] = new IssuedToken(principal, expires);
        return (password, expires);
    }

    internal TokenState Check(string password)
    {
        if (password == PublisherPassword)
        {
            return TokenState.Valid;
        }

        if (!_issued.TryGetValue(password, out var issued))
        {
            return TokenState.Unknown;
        }

        return clock.GetUtcNow() < issued.Expires ? TokenState.Valid : TokenState.Expired;
    }

    internal string? PrincipalOf(string password) => _issued.GetValueOrDefault(password)?.Principal;

    // As long as real tokens, so that clients must handle that length.
    private static string NewPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(1500));

    private sealed record IssuedToken(string Principal, DateTimeOffset Expires);
}

internal enum TokenState
{
    Valid,
    Expired,
    Unknown,
}
