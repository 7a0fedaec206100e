using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>What who gave the password shows afterwards: some browsers send no password when they open a WebSocket.</summary>
/// <remarks>Its end and a signature. Signed with a key of the password's hash: it outlives a restart of the agent, and ends with the password.</remarks>
internal static class AccessCookie
{
    public const string Name = "ragagent_access";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const string KeyPurpose = "ragagent access cookie 1";

    // Of several with the name, as a forger or another path may have set them.
    private const int MaxValuesChecked = 4;

    /// <param name="hash">Of the password that was given.</param>
    /// <param name="now">By the wall clock.</param>
    /// <param name="secure">The visitor came by TLS.</param>
    /// <returns>For <c>Set-Cookie</c>.</returns>
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

    /// <summary>Takes ours out of the request; the app's stay as they were written.</summary>
    /// <returns>The values of ours.</returns>
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

    /// <returns>How long the best of them is still good for; zero: none is.</returns>
    public static TimeSpan TimeLeft(IReadOnlyList<string> values, PasswordHash hash, DateTimeOffset now)
    {
        var longest = TimeSpan.Zero;
        foreach (var value in values.Take(MaxValuesChecked))
        {
            if (value.Split('.') is [var expires, var signature] && HasValidSignature(hash, expires, signature) &&
                long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && DateTimeOffset.FromUnixTimeSeconds(seconds) - now is var timeLeft && timeLeft > longest)
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

    private static string Sign(PasswordHash hash, string expires) => Convert.ToHexStringLower(HMACSHA256.HashData(hash.DeriveKey(KeyPurpose), Encoding.UTF8.GetBytes(expires)));
}
