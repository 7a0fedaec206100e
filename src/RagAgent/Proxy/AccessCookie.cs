using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RagAgent.Secrets;

namespace RagAgent.Proxy;

/// <summary>What who gave the password shows afterwards: some browsers send no password when they open a WebSocket.</summary>
/// <remarks>Its end and a signature. Signed with a key of the password's hash: it outlives a restart of the agent, and ends with the password.</remarks>
internal static class AccessCookie
{
    public const string Name = "ragagent_access";
    public static readonly TimeSpan Life = TimeSpan.FromHours(12);

    private const string Purpose = "ragagent access cookie 1";

    // Of several with the name, as a forger or another path may have set them.
    private const int MostLookedAt = 4;

    /// <param name="hash">Of the password that was given.</param>
    /// <param name="now">By the wall clock.</param>
    /// <param name="secure">The visitor came by TLS.</param>
    /// <returns>For <c>Set-Cookie</c>.</returns>
    public static string Issue(PasswordHash hash, DateTimeOffset now, bool secure)
    {
        var end = (now + Life).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new SetCookieHeaderValue(Name, $"{end}.{Signature(hash, end)}")
        {
            Path = "/",
            MaxAge = Life,
            HttpOnly = true,
            Secure = secure,
            SameSite = Microsoft.Net.Http.Headers.SameSiteMode.Lax,
        }.ToString();
    }

    /// <summary>Takes ours out of the request; the app's stay as they were written.</summary>
    /// <returns>The values of ours.</returns>
    public static IReadOnlyList<string> TakeOut(IHeaderDictionary headers)
    {
        var ours = new List<string>();
        var others = new List<string>();
        foreach (var line in headers.Cookie)
        {
            var rest = (line ?? "").Split(';').Where(pair => !IsOurs(pair, ours)).ToArray();
            if (rest.Any(pair => !string.IsNullOrWhiteSpace(pair)))
            {
                others.Add(string.Join(';', rest).TrimStart());
            }
        }
        if (ours.Count > 0)
        {
            headers.Cookie = new StringValues([.. others]);
        }
        return ours;
    }

    /// <returns>How long the best of them is still good for; zero: none is.</returns>
    public static TimeSpan Left(IReadOnlyList<string> values, PasswordHash hash, DateTimeOffset now)
    {
        var left = TimeSpan.Zero;
        foreach (var value in values.Take(MostLookedAt))
        {
            if (value.Split('.') is [var end, var signature] && IsSigned(hash, end, signature) &&
                long.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && DateTimeOffset.FromUnixTimeSeconds(seconds) - now is var more && more > left)
            {
                left = more;
            }
        }
        return left;
    }

    private static bool IsOurs(string pair, List<string> ours)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || !pair.AsSpan(0, equals).Trim().SequenceEqual(Name))
        {
            return false;
        }
        ours.Add(pair[(equals + 1)..].Trim());
        return true;
    }

    private static bool IsSigned(PasswordHash hash, string end, string signature) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Signature(hash, end)));

    private static string Signature(PasswordHash hash, string end) => Convert.ToHexStringLower(HMACSHA256.HashData(hash.Key(Purpose), Encoding.UTF8.GetBytes(end)));
}
