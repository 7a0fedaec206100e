using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalAws.Signing;

/// <summary>Identifies who signed a request, or refuses it with the error that AWS would return.</summary>
public sealed class SignatureVerifier(CredentialStore credentials, string region, TimeProvider clock)
{
    /// <summary>How far the caller's clock may be off.</summary>
    public static readonly TimeSpan AllowedSkew = TimeSpan.FromMinutes(5);

    private const string Mismatch =
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
        + "method. Consult the service documentation for details.";

    /// <exception cref="AwsErrorException">The request is not signed, the key is unknown, or the signature is wrong.</exception>
    public AwsCredential Verify(SignedRequest request, string service)
    {
        if (!request.Headers.TryGetValue("authorization", out var authorization))
        {
            throw Refuse("MissingAuthenticationTokenException", "Missing Authentication Token");
        }

        var header = AuthorizationHeader.Parse(authorization)
            ?? throw Refuse("IncompleteSignatureException", $"Authorization header requires existence of either a '{SignatureVersion4.Algorithm}' "
                + "'Credential', 'SignedHeaders' and 'Signature' parameter.");
        CheckScope(header, service);
        var time = CheckTime(request, header);
        var credential = credentials.Find(header.AccessKeyId) ?? throw Unrecognized();
        CheckSession(request, credential);
        CheckSignature(request, header, time, credential);
        return credential;
    }

    private void CheckScope(AuthorizationHeader header, string service)
    {
        if (header.Scope.Region != region)
        {
            throw Refuse("InvalidSignatureException", $"Credential should be scoped to a valid region, not '{header.Scope.Region}'. ");
        }

        if (header.Scope.Service != service)
        {
            throw Refuse("InvalidSignatureException", $"Credential should be scoped to correct service: '{service}'. ");
        }

        if (!header.SignedHeaders.Contains("host"))
        {
            throw Refuse("InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
        }
    }

    private DateTimeOffset CheckTime(SignedRequest request, AuthorizationHeader header)
    {
        var text = request.Headers.GetValueOrDefault("x-amz-date", "");
        if (!DateTimeOffset.TryParseExact(text, SignatureVersion4.TimeFormat, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out var signed))
        {
            throw Refuse("IncompleteSignatureException", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
        }

        var now = clock.GetUtcNow();
        if (signed < now - AllowedSkew)
        {
            throw Refuse("InvalidSignatureException", $"Signature expired: {text} is now earlier than "
                + $"{SignatureVersion4.Format(now - AllowedSkew)} ({SignatureVersion4.Format(now)} - 5 min.)");
        }

        if (signed > now + AllowedSkew)
        {
            throw Refuse("InvalidSignatureException", $"Signature not yet current: {text} is still later than "
                + $"{SignatureVersion4.Format(now + AllowedSkew)} ({SignatureVersion4.Format(now)} + 5 min.)");
        }

        if (!text.StartsWith(header.Scope.Date, StringComparison.Ordinal))
        {
            throw Refuse("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                + $"'{header.Scope.Date}' != '{text[..8]}', from '{text}'.");
        }

        return signed;
    }

    private void CheckSession(SignedRequest request, AwsCredential credential)
    {
        if (request.Headers.GetValueOrDefault("x-amz-security-token") != credential.SessionToken)
        {
            throw Unrecognized();
        }

        if (credential.Expires <= clock.GetUtcNow())
        {
            throw Refuse("ExpiredTokenException", "The security token included in the request is expired");
        }
    }

    private static void CheckSignature(SignedRequest request, AuthorizationHeader header, DateTimeOffset time, AwsCredential credential)
    {
        if (request.Headers.TryGetValue("x-amz-content-sha256", out var claimed)
            && !string.Equals(claimed, SignatureVersion4.Hex(SHA256.HashData(request.Body.Span)), StringComparison.OrdinalIgnoreCase))
        {
            throw Refuse("InvalidSignatureException", Mismatch);
        }

        var expected = SignatureVersion4.Signature(
            SignatureVersion4.SigningKey(credential.SecretAccessKey, header.Scope),
            SignatureVersion4.StringToSign(time, header.Scope, SignatureVersion4.CanonicalRequest(request, header.SignedHeaders)));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(header.Signature)))
        {
            throw Refuse("InvalidSignatureException", Mismatch);
        }
    }

    private static AwsErrorException Unrecognized() =>
        Refuse("UnrecognizedClientException", "The security token included in the request is invalid.");

    private static AwsErrorException Refuse(string type, string message) => new(AwsError.BadRequest(type, message));
}
