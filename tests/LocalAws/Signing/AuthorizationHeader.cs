namespace LocalAws.Signing;

/// <summary>The Authorization header of Signature Version 4, parsed.</summary>
public sealed record AuthorizationHeader(string AccessKeyId, CredentialScope Scope, IReadOnlyList<string> SignedHeaders, string Signature)
{
    /// <summary>Null if a part is missing or malformed.</summary>
    public static AuthorizationHeader? Parse(string header)
    {
        if (!header.StartsWith(SignatureVersion4.Algorithm + " ", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in header[SignatureVersion4.Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Split('=', 2) is [var name, var value])
            {
                parts[name] = value;
            }
        }
        if (!parts.TryGetValue("Credential", out var credential) || !parts.TryGetValue("SignedHeaders", out var signedHeaders)
            || !parts.TryGetValue("Signature", out var signature))
        {
            return null;
        }

        return credential.Split('/') is [var id, var date, var region, var service, CredentialScope.Terminator]
            ? new AuthorizationHeader(id, new CredentialScope(date, region, service), signedHeaders.Split(';'), signature)
            : null;
    }
}
