using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Tls;

/// <summary>Leads who comes by HTTP to HTTPS. While there is no certificate, they are told so: the app is not shown in the clear.</summary>
/// <param name="port">Of HTTPS.</param>
/// <param name="certificates">Whether there is one.</param>
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
                "This page is shown over HTTPS only, and there is no usable certificate for it yet; who runs it finds the reason with 'ragagent status'.");
        }
        if (!request.Host.HasValue)
        {
            return PlainTextResponse.SendAsync(context, StatusCodes.Status400BadRequest, "This page is shown over HTTPS only; ask for it by its name.");
        }
        var host = port == 443 ? request.Host.Host : $"{request.Host.Host}:{port}";
        response.Headers.Location = $"https://{host}{RequestTarget(context)}";
        return PlainTextResponse.SendAsync(context, StatusCodes.Status308PermanentRedirect, "This page is shown over HTTPS.");
    }

    /// <summary>As it was written, escapes and all, where that is a path.</summary>
    private static string RequestTarget(HttpContext context) =>
        context.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] target && target.All(character => character is > ' ' and < '\u007f')
            ? target
            : context.Request.GetEncodedPathAndQuery() is ['/', ..] path ? path : "/";
}

/// <summary>Tells browsers to come by HTTPS from now on. Nothing of it stands in an answer by HTTP, where nobody should believe it.</summary>
/// <param name="maxAge">For how long.</param>
internal sealed class HstsHeader(TimeSpan maxAge)
{
    private readonly string _value = $"max-age={(long)maxAge.TotalSeconds}";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps)
        {
            // At last: what the app says of it is replaced.
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.StrictTransportSecurity = _value;
                return Task.CompletedTask;
            });
        }
        return next(context);
    }
}
