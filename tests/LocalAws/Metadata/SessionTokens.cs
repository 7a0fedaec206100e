using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace LocalAws.Metadata;

/// <summary>The session tokens of IMDSv2. They are lost with the process, as they are lost with the instance on EC2.</summary>
internal sealed class SessionTokens(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _expiry = new(StringComparer.Ordinal);

    public string Issue(TimeSpan lifetime)
    {
        var token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(42));
        _expiry[token] = clock.GetUtcNow() + lifetime;
        return token;
    }

    public bool IsValid(string token) => _expiry.TryGetValue(token, out var expiry) && clock.GetUtcNow() < expiry;
}
