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

/// <summary>Lets those in who have an address or the password of the configuration's <c>access</c>; all others hear one sentence. Stands before all that a visitor can reach.</summary>
internal sealed partial class AccessControl(AgentConfig config, PasswordHashProvider passwords, AgentClock clock, ILogger<AccessControl> logger)
{
    private const string Scheme = "Basic ";

    private readonly PasswordVerifier _verifier = new(clock);
    private readonly ExpiringCache<IPAddress, bool> _loggedAddresses = new(TimeSpan.FromMinutes(1), 1024);

    /// <summary>How many passwords were compared with the hash.</summary>
    public int Comparisons => _verifier.Comparisons;

    /// <summary>Why nobody gets in; null: somebody may.</summary>
    public Problem? BlockingProblem => passwords.BlockingProblem;

    /// <summary>Called after <see cref="BlockingProblem"/> may have changed. It must not block.</summary>
    public event Action Changed
    {
        add => passwords.Changed += value;
        remove => passwords.Changed -= value;
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next) => config.Access is { } access ? InvokeAsync(context, next, access) : next(context);

    private Task InvokeAsync(HttpContext context, RequestDelegate next, AccessConfig access)
    {
        var address = ClientAddress(context.Connection.RemoteIpAddress);
        if (access.Password is null)
        {
            return IsAllowedNetwork(access, address) || IsAcmeChallenge(context) ? next(context) : RespondAsync(context, StatusCodes.Status403Forbidden, "Visitors come in from certain networks only, and this address is in none of them.");
        }
        // Also of those who come in without: what is meant for the agent is none of the app's business.
        var credentials = RemoveCredentials(context.Request.Headers);
        var cookies = AccessCookie.RemoveFrom(context.Request.Headers);
        return IsAllowedNetwork(access, address) || IsAcmeChallenge(context) ? next(context) : AuthenticateAsync(context, next, address, credentials, cookies);
    }

    private async Task AuthenticateAsync(HttpContext context, RequestDelegate next, IPAddress address, string? credentials, IReadOnlyList<string> cookies)
    {
        if (passwords.Hash is not { } hash)
        {
            context.Response.Headers.RetryAfter = "5";
            await RespondAsync(context, StatusCodes.Status503ServiceUnavailable, "Nobody can come in right now: the password can't be checked. The operator finds the reason by 'ragagent status'.");
            return;
        }
        var timeLeft = AccessCookie.TimeLeft(cookies, hash, clock.Time.GetUtcNow());
        if (timeLeft > AccessCookie.Lifetime / 2 || (timeLeft > TimeSpan.Zero && credentials is null))
        {
            await next(context);
            return;
        }
        var result = credentials is null || ParsePassword(credentials) is not { } password ? PasswordResult.Wrong : await _verifier.VerifyAsync(credentials, password, hash, address, context.RequestAborted);
        switch (result.IsCorrect)
        {
            case true:
                context.Response.Headers.Append("Set-Cookie", AccessCookie.Issue(hash, clock.Time.GetUtcNow(), context.Request.IsHttps));
                context.Response.OnStarting(DisableCaching, context.Response.Headers);
                await next(context);
                break;
            case not null when timeLeft == TimeSpan.Zero:
                if (credentials is not null)
                {
                    LogWrongPassword(address);
                }
                // Any user's name will do.
                context.Response.Headers.WWWAuthenticate = $"Basic realm=\"{config.Container.Name}\", charset=\"UTF-8\"";
                await RespondAsync(context, StatusCodes.Status401Unauthorized, "A password is needed to come in.");
                break;
            case null when timeLeft == TimeSpan.Zero:
                context.Response.Headers.RetryAfter = Math.Ceiling(result.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                await RespondAsync(context, StatusCodes.Status429TooManyRequests, "Too many passwords were tried. Try again later.");
                break;
            default:
                await next(context);   // by the cookie, though what was sent beside it is no good
                break;
        }
    }

    /// <summary>For who watches the journal, by hand or by fail2ban: once a minute and address, for a page is many requests at once.</summary>
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

    /// <summary>What the app lets be kept by all, as its scripts, a cache before the door would give to others with the cookie in it.</summary>
    private static Task DisableCaching(object headers)
    {
        ((IHeaderDictionary)headers).CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private static bool IsAllowedNetwork(AccessConfig access, IPAddress address) => access.Networks.Any(network => network.Contains(address));

    /// <summary>A certificate authority asks for these, and can give no password. By the words of the request itself: what only becomes this path when dots are resolved is another one for the app.</summary>
    private static bool IsAcmeChallenge(HttpContext context) =>
        context.Request.Method is "GET" or "HEAD" && Challenge().IsMatch(context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "");

    [GeneratedRegex(@"\A/\.well-known/acme-challenge/[A-Za-z0-9_-]+\z")]
    private static partial Regex Challenge();

    /// <summary>Another scheme than ours is the app's own, and stays.</summary>
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

    /// <summary>The door listens for both families on one socket, where an IPv4 visitor has an IPv6 address.</summary>
    private static IPAddress ClientAddress(IPAddress? client) => client is { IsIPv4MappedToIPv6: true } ? client.MapToIPv4() : client ?? IPAddress.None;

    private static Task RespondAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }
}
