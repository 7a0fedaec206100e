using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace LocalAws.Ecr;

/// <summary>The passwords that open the registry, and their ends.</summary>
public sealed class RegistryTokens(TimeProvider clock)
{
    /// <summary>How long a token lives: what ECR gives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private readonly ConcurrentDictionary<string, IssuedToken> _issued = new(StringComparer.Ordinal);

    /// <summary>For pushes by a test or a script: never expires, whatever happens to the tokens of the one under test.</summary>
    public string PublisherPassword { get; } = NewPassword();

    /// <summary>All tokens that were given out end now.</summary>
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

    // As long as real ones are, so that whoever carries it has to.
    private static string NewPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(1500));

    private sealed record IssuedToken(string Principal, DateTimeOffset Expires);
}

internal enum TokenState
{
    Valid,
    Expired,
    Unknown,
}
