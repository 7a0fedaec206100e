using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>
/// Enforces the configuration's <c>access</c>: a client needs an address in an allowed network or the password.
/// Runs before everything that serves content.
/// </summary>
internal sealed partial class AccessControl(
    AgentConfig config,
    PasswordHashProvider passwords,
    AgentClock clock,
    ILogger<AccessControl> logger)
{
    private const string Scheme = "Basic ";

    private readonly PasswordVerifier _verifier = new(clock);
    private readonly ExpiringCache<IPAddress, bool> _loggedAddresses = new(TimeSpan.FromMinutes(1), 1024);

    /// <summary>How many passwords have been compared with the hash.</summary>
    public int Comparisons => _verifier.Comparisons;

    /// <summary>Why no client at all can get in. Null: some can.</summary>
    public Problem? BlockingProblem => passwords.BlockingProblem;

    /// <summary>Raised after <see cref="BlockingProblem"/> may have changed. Handlers must not block.</summary>
    public event Action Changed
    {
        add => passwords.Changed += value;
        remove => passwords.Changed -= value;
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next) =>
        config.Access is { } access ? InvokeAsync(context, next, access) : next(context);

    private Task InvokeAsync(HttpContext context, RequestDelegate next, AccessConfig access)
    {
        var address = ClientAddress.Of(context) ?? IPAddress.None;
        var isAllowed = access.Networks.Any(network => network.Contains(address)) || IsAcmeChallenge(context);
        if (access.Password is null)
        {
            return isAllowed
                ? next(context)
                : PlainTextResponse.SendAsync(context, StatusCodes.Status403Forbidden,
                    "Access is restricted to certain networks, and your address is not in one of them.");
        }
        // Removed for every client, also for one in an allowed network: the app must never see the agent's credentials.
        var credentials = RemoveCredentials(context.Request.Headers);
        var cookies = AccessCookie.RemoveFrom(context.Request.Headers);
        return isAllowed ? next(context) : AuthenticateAsync(context, next, address, credentials, cookies);
    }

    private async Task AuthenticateAsync(
        HttpContext context, RequestDelegate next, IPAddress address, string? credentials, IReadOnlyList<string> cookies)
    {
        if (passwords.Hash is not { } hash)
        {
            context.Response.Headers.RetryAfter = "5";
            await PlainTextResponse.SendAsync(context, StatusCodes.Status503ServiceUnavailable,
                "Nobody can log in right now: the agent can't check passwords. The operator can see why with 'ragagent status'.");
            return;
        }
        var cookieTimeLeft = AccessCookie.TimeLeft(cookies, hash, clock.Time.GetUtcNow());
        if (cookieTimeLeft > AccessCookie.Lifetime / 2 || (cookieTimeLeft > TimeSpan.Zero && credentials is null))
        {
            await next(context);
            return;
        }
        var result = credentials is not null && ParsePassword(credentials) is { } password
            ? await _verifier.VerifyAsync(credentials, password, hash, address, context.RequestAborted)
            : PasswordResult.Wrong;
        switch (result.IsCorrect)
        {
            case true:
                var cookie = AccessCookie.Issue(hash, clock.Time.GetUtcNow(), context.Request.IsHttps);
                context.Response.Headers.Append("Set-Cookie", cookie);
                context.Response.OnStarting(DisableCaching, context.Response.Headers);
                await next(context);
                break;
            case not null when cookieTimeLeft == TimeSpan.Zero:
                if (credentials is not null)
                {
                    LogWrongPassword(address);
                }
                // Any user name is accepted.
                context.Response.Headers.WWWAuthenticate = $"Basic realm=\"{config.Container.Name}\", charset=\"UTF-8\"";
                await PlainTextResponse.SendAsync(context, StatusCodes.Status401Unauthorized, "This page requires a password.");
                break;
            case null when cookieTimeLeft == TimeSpan.Zero:
                var retryAfter = Math.Ceiling(result.RetryAfter.TotalSeconds);
                context.Response.Headers.RetryAfter = retryAfter.ToString(CultureInfo.InvariantCulture);
                await PlainTextResponse.SendAsync(context, StatusCodes.Status429TooManyRequests,
                    "Too many passwords were tried. Try again later.");
                break;
            default:
                await next(context);   // the cookie is valid, even though the password sent with it is not
                break;
        }
    }

    /// <summary>At most once a minute per address: one page load is many requests with the same wrong password.</summary>
    private void LogWrongPassword(IPAddress address)
    {
        lock (_loggedAddresses)
        {
            if (_loggedAddresses.TryGet(address, clock.Now, out _))
            {
                return;
            }
            _loggedAddresses.Set(address, true, clock.Now);
        }
        logger.WrongPassword(address);
    }

    /// <summary>The app marks some responses as publicly cacheable. A cache in front would hand them out with the cookie in them.</summary>
    private static Task DisableCaching(object headers)
    {
        ((IHeaderDictionary)headers).CacheControl = "no-store";
        return Task.CompletedTask;
    }

    /// <summary>
    /// A certificate authority fetches these and has no password.
    /// Matches the raw request target: a path that only becomes this one once its dots are resolved means something else to the app.
    /// </summary>
    private static bool IsAcmeChallenge(HttpContext context) =>
        context.Request.Method is "GET" or "HEAD" &&
        ChallengeTarget().IsMatch(context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "");

    [GeneratedRegex(@"\A/\.well-known/acme-challenge/[A-Za-z0-9_-]+\z")]
    private static partial Regex ChallengeTarget();

    /// <summary>Removes Basic credentials. Other schemes belong to the app and stay.</summary>
    /// <returns>The credentials; null if there are none or more than one.</returns>
    private static string? RemoveCredentials(IHeaderDictionary headers)
    {
        var values = headers.Authorization;
        var basic = values.Where(IsBasic).ToArray();
        if (basic.Length > 0)
        {
            headers.Authorization = new StringValues([.. values.Where(value => !IsBasic(value))]);
        }
        return basic is [{ } single] ? single : null;
    }

    private static bool IsBasic(string? value) => value?.TrimStart().StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true;

    private static string? ParsePassword(string credentials)
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
}
