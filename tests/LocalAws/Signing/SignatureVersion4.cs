using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalAws.Signing;

/// <summary>
/// AWS Signature Version 4, in the four steps of the IAM User Guide ("Create a signed AWS API request"): canonical request, string to
/// sign, signing key, signature. Independent of any SDK, so that it can verify what an SDK sends.
/// </summary>
public static class SignatureVersion4
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Step 1. All services but S3 encode the path a second time, and S3 is not served here.</summary>
    public static string CanonicalRequest(SignedRequest request, IReadOnlyList<string> signedHeaders)
    {
        var text = new StringBuilder()
            .Append(request.Method).Append('\n')
            .Append(CanonicalPath(request.RawPath)).Append('\n')
            .Append(CanonicalQuery(request.RawQuery)).Append('\n');
        foreach (var name in signedHeaders)
        {
            text.Append(name).Append(':').Append(CollapseSpaces(request.Headers.GetValueOrDefault(name, ""))).Append('\n');
        }

        return text.Append('\n')
            .AppendJoin(';', signedHeaders).Append('\n')
            .Append(Hex(SHA256.HashData(request.Body.Span)))
            .ToString();
    }

    /// <summary>Step 2.</summary>
    public static string StringToSign(DateTimeOffset time, CredentialScope scope, string canonicalRequest) =>
        string.Join('\n', Algorithm, Format(time), scope, Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest))));

    /// <summary>Step 3: the secret, narrowed to a day, a region and a service.</summary>
    public static byte[] SigningKey(string secret, CredentialScope scope)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in new[] { scope.Date, scope.Region, scope.Service, CredentialScope.Terminator })
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }

        return key;
    }

    /// <summary>Step 4: in lower-case hexadecimal, as in the Authorization header.</summary>
    public static string Signature(byte[] signingKey, string stringToSign) =>
        Hex(HMACSHA256.HashData(signingKey, Encoding.UTF8.GetBytes(stringToSign)));

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    public static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static string CanonicalPath(string rawPath)
    {
        var segments = new List<string>();
        foreach (var segment in rawPath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (segment == "..")
            {
                segments.RemoveRange(Math.Max(0, segments.Count - 1), Math.Min(1, segments.Count));
            }
            else if (segment != ".")
            {
                segments.Add(Encode(segment));
            }
        }
        var end = segments.Count > 0 && rawPath.EndsWith('/') ? "/" : "";
        return "/" + string.Join('/', segments) + end;
    }

    private static string CanonicalQuery(string rawQuery) =>
        string.Join('&', rawQuery.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .Select(pair => (Name: Reencode(pair[0]), Value: pair.Length > 1 ? Reencode(pair[1]) : ""))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)
            .Select(pair => $"{pair.Name}={pair.Value}"));

    private static string Reencode(string encoded) => Encode(Uri.UnescapeDataString(encoded.Replace("+", "%20", StringComparison.Ordinal)));

    // RFC 3986 with the unreserved characters A-Z a-z 0-9 - _ . ~ left alone: the set that the guide requires.
    private static string Encode(string text) => Uri.EscapeDataString(text);

    private static string CollapseSpaces(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
