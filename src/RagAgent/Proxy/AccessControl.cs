using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using RagAgent.Configuration;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Lets those in who have an address or the password of the configuration's <c>access</c>; all others hear one sentence. Stands before all that a visitor can reach.</summary>
internal sealed partial class AccessControl(AgentConfig config, PasswordKeeper passwords, AgentClock clock, ILogger<AccessControl> logger)
{
    private const string Scheme = "Basic ";

    private readonly PasswordCheck _check = new(clock);
    private readonly Recent<IPAddress, bool> _told = new(TimeSpan.FromMinutes(1), 1024);

    /// <summary>How many passwords were compared with the hash.</summary>
    public int Comparisons => _check.Made;

    /// <summary>Why nobody gets in; null: somebody may.</summary>
    public Problem? KeepsVisitorsOut => passwords.KeepsVisitorsOut;

    /// <summary>Called after <see cref="KeepsVisitorsOut"/> may have changed. It must not block.</summary>
    public event Action Changed
    {
        add => passwords.Changed += value;
        remove => passwords.Changed -= value;
    }

    public Task AdmitAsync(HttpContext visit, RequestDelegate inside) => config.Access is { } access ? AdmitAsync(visit, inside, access) : inside(visit);

    private Task AdmitAsync(HttpContext visit, RequestDelegate inside, AccessConfig access)
    {
        var address = Address(visit.Connection.RemoteIpAddress);
        if (access.Password is null)
        {
            return IsNear(access, address) || IsChallenge(visit) ? inside(visit) : TellAsync(visit, StatusCodes.Status403Forbidden, "Visitors come in from certain networks only, and this address is in none of them.");
        }
        // Also of those who come in without: what is meant for the agent is none of the app's business.
        var credentials = TakeOutCredentials(visit.Request.Headers);
        var cookies = AccessCookie.TakeOut(visit.Request.Headers);
        return IsNear(access, address) || IsChallenge(visit) ? inside(visit) : AskAsync(visit, inside, address, credentials, cookies);
    }

    private async Task AskAsync(HttpContext visit, RequestDelegate inside, IPAddress address, string? credentials, IReadOnlyList<string> cookies)
    {
        if (passwords.Hash is not { } hash)
        {
            visit.Response.Headers.RetryAfter = "5";
            await TellAsync(visit, StatusCodes.Status503ServiceUnavailable, "Nobody can come in right now: the password can't be checked. The operator finds the reason by 'ragagent status'.");
            return;
        }
        var left = AccessCookie.Left(cookies, hash, clock.Time.GetUtcNow());
        if (left > AccessCookie.Life / 2 || (left > TimeSpan.Zero && credentials is null))
        {
            await inside(visit);
            return;
        }
        var tried = credentials is null || PasswordIn(credentials) is not { } password ? Tried.Wrong : await _check.TryAsync(credentials, password, hash, address, visit.RequestAborted);
        switch (tried.IsRight)
        {
            case true:
                visit.Response.Headers.Append("Set-Cookie", AccessCookie.Issue(hash, clock.Time.GetUtcNow(), visit.Request.IsHttps));
                visit.Response.OnStarting(KeptByNobody, visit.Response.Headers);
                await inside(visit);
                break;
            case not null when left == TimeSpan.Zero:
                if (credentials is not null)
                {
                    TellOfWrong(address);
                }
                // Any user's name will do.
                visit.Response.Headers.WWWAuthenticate = $"Basic realm=\"{config.Container.Name}\", charset=\"UTF-8\"";
                await TellAsync(visit, StatusCodes.Status401Unauthorized, "A password is needed to come in.");
                break;
            case null when left == TimeSpan.Zero:
                visit.Response.Headers.RetryAfter = Math.Ceiling(tried.After.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                await TellAsync(visit, StatusCodes.Status429TooManyRequests, "Too many passwords were tried. Try again later.");
                break;
            default:
                await inside(visit);   // by the cookie, though what was sent beside it is no good
                break;
        }
    }

    /// <summary>For who watches the journal, by hand or by fail2ban: once a minute and address, for a page is many requests at once.</summary>
    private void TellOfWrong(IPAddress address)
    {
        lock (_told)
        {
            if (_told.TryGet(address, clock.Now, out _))
            {
                return;
            }
            _told.Put(address, true, clock.Now);
        }
        logger.WrongPassword(address);
    }

    /// <summary>What the app lets be kept by all, as its scripts, a cache before the door would give to others with the cookie in it.</summary>
    private static Task KeptByNobody(object headers)
    {
        ((IHeaderDictionary)headers).CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private static bool IsNear(AccessConfig access, IPAddress address) => access.Networks.Any(network => network.Contains(address));

    /// <summary>A certificate authority asks for these, and can give no password. By the words of the request itself: what only becomes this path when dots are resolved is another one for the app.</summary>
    private static bool IsChallenge(HttpContext visit) =>
        visit.Request.Method is "GET" or "HEAD" && Challenge().IsMatch(visit.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "");

    [GeneratedRegex(@"\A/\.well-known/acme-challenge/[A-Za-z0-9_-]+\z")]
    private static partial Regex Challenge();

    /// <summary>Another scheme than ours is the app's own, and stays.</summary>
    private static string? TakeOutCredentials(IHeaderDictionary headers)
    {
        var all = headers.Authorization;
        var ours = all.Where(IsOurs).ToArray();
        if (ours.Length > 0)
        {
            headers.Authorization = new StringValues([.. all.Where(value => !IsOurs(value))]);
        }
        return ours is [{ } one] ? one : null;
    }

    private static bool IsOurs(string? value) => value?.TrimStart().StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true;

    private static string? PasswordIn(string credentials)
    {
        var bytes = new byte[credentials.Length];
        if (!Convert.TryFromBase64String(credentials.TrimStart()[Scheme.Length..].Trim(), bytes, out var length))
        {
            return null;
        }
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : text[(colon + 1)..];
    }

    /// <summary>The door listens for both families on one socket, where an IPv4 visitor has an IPv6 address.</summary>
    private static IPAddress Address(IPAddress? visitor) => visitor is { IsIPv4MappedToIPv6: true } ? visitor.MapToIPv4() : visitor ?? IPAddress.None;

    private static Task TellAsync(HttpContext visit, int status, string sentence)
    {
        visit.Response.StatusCode = status;
        visit.Response.ContentType = "text/plain; charset=utf-8";
        visit.Response.Headers.CacheControl = "no-store";
        return visit.Response.WriteAsync(sentence + "\n", visit.RequestAborted);
    }
}
