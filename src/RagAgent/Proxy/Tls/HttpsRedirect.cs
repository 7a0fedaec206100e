using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Tls;

/// <summary>Redirects HTTP to HTTPS. Without a certificate it answers 503: the app is never served unencrypted.</summary>
/// <param name="port">The port of HTTPS.</param>
/// <param name="certificates">Knows whether there is a certificate.</param>
internal sealed class HttpsRedirect(int port, CertificateWatch certificates)
{
    private const string RetryAfterSeconds = "5";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var (request, response) = (context.Request, context.Response);
        if (request.IsHttps)
        {
            return next(context);
        }
        if (certificates.Current is null)
        {
            response.Headers.RetryAfter = RetryAfterSeconds;
            response.Headers["Refresh"] = RetryAfterSeconds;
            return PlainTextResponse.SendAsync(context, StatusCodes.Status503ServiceUnavailable,
                "This page requires HTTPS, and there is no usable certificate yet. The operator can see why with 'ragagent status'.");
        }
        if (!request.Host.HasValue)
        {
            return PlainTextResponse.SendAsync(context, StatusCodes.Status400BadRequest,
                "This page requires HTTPS, and the request does not name a host to redirect to.");
        }
        var host = port == 443 ? request.Host.Host : $"{request.Host.Host}:{port}";
        response.Headers.Location = $"https://{host}{RequestTarget(context)}";
        return PlainTextResponse.SendAsync(context, StatusCodes.Status308PermanentRedirect, "This page requires HTTPS.");
    }

    /// <summary>The target as the client wrote it, escapes included, if it is a path.</summary>
    private static string RequestTarget(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (target is ['/', ..] && target.All(character => character is > ' ' and < '\u007f'))
        {
            return target;
        }
        return context.Request.GetEncodedPathAndQuery() is ['/', ..] path ? path : "/";
    }
}
