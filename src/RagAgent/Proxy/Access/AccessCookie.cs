using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>The session cookie issued after a successful login, because some browsers send no credentials with a WebSocket.</summary>
/// <remarks>
/// Holds its expiry and a signature. The key is derived from the password's hash: a cookie survives an agent restart,
/// and a new password invalidates it.
/// </remarks>
internal static class AccessCookie
{
    public const string Name = "ragagent_access";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const string KeyPurpose = "ragagent access cookie 1";

    // A request may carry several cookies of this name, set by an attacker or for another path.
    private const int MaxValuesChecked = 4;

    /// <param name="hash">The hash of the password that the client gave.</param>
    /// <param name="now">The wall clock.</param>
    /// <param name="secure">Whether the client connected over TLS.</param>
    /// <returns>A value for <c>Set-Cookie</c>.</returns>
    public static string Issue(PasswordHash hash, DateTimeOffset now, bool secure)
    {
        var expires = (now + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new SetCookieHeaderValue(Name, $"{expires}.{Sign(hash, expires)}")
        {
            Path = "/",
            MaxAge = Lifetime,
            HttpOnly = true,
            Secure = secure,
            SameSite = Microsoft.Net.Http.Headers.SameSiteMode.Lax,
        }.ToString();
    }

    /// <summary>Removes these cookies from a request. The app's cookies stay byte for byte.</summary>
    /// <returns>The values of the removed cookies.</returns>
    public static IReadOnlyList<string> RemoveFrom(IHeaderDictionary headers)
    {
        var removed = new List<string>();
        var kept = new List<string>();
        foreach (var line in headers.Cookie)
        {
            var rest = (line ?? "").Split(';').Where(pair => !TryTake(pair, removed)).ToArray();
            if (rest.Any(pair => !string.IsNullOrWhiteSpace(pair)))
            {
                kept.Add(string.Join(';', rest).TrimStart());
            }
        }
        if (removed.Count > 0)
        {
            headers.Cookie = new StringValues([.. kept]);
        }
        return removed;
    }

    /// <returns>How long the longest-lived valid cookie remains valid; zero if none is.</returns>
    public static TimeSpan TimeLeft(IReadOnlyList<string> values, PasswordHash hash, DateTimeOffset now)
    {
        var longest = TimeSpan.Zero;
        foreach (var value in values.Take(MaxValuesChecked))
        {
            if (value.Split('.') is [var expires, var signature] && HasValidSignature(hash, expires, signature) &&
                long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) &&
                DateTimeOffset.FromUnixTimeSeconds(seconds) - now is var timeLeft && timeLeft > longest)
            {
                longest = timeLeft;
            }
        }
        return longest;
    }

    private static bool TryTake(string pair, List<string> removed)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || !pair.AsSpan(0, equals).Trim().SequenceEqual(Name))
        {
            return false;
        }
        removed.Add(pair[(equals + 1)..].Trim());
        return true;
    }

    private static bool HasValidSignature(PasswordHash hash, string expires, string signature) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(hash, expires)));

    private static string Sign(PasswordHash hash, string expires) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(hash.DeriveKey(KeyPurpose), Encoding.UTF8.GetBytes(expires)));
}
