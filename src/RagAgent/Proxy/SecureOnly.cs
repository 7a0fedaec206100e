using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy;

/// <summary>Leads who comes by HTTP to HTTPS. While there is no certificate, they are told so: the app is not shown in the clear.</summary>
/// <param name="port">Of HTTPS.</param>
/// <param name="certificates">Whether there is one.</param>
internal sealed class SecureOnly(int port, CertificateWatch certificates)
{
    private const string ComeBackAfter = "5";

    public Task ReceiveAsync(HttpContext visit, RequestDelegate next)
    {
        var (request, response) = (visit.Request, visit.Response);
        if (request.IsHttps)
        {
            return next(visit);
        }
        if (certificates.Current is null)
        {
            response.Headers.RetryAfter = ComeBackAfter;
            response.Headers["Refresh"] = ComeBackAfter;
            return ShortAnswer.SendAsync(visit, StatusCodes.Status503ServiceUnavailable,
                "This page is shown over HTTPS only, and there is no usable certificate for it yet; who runs it finds the reason with 'ragagent status'.");
        }
        if (!request.Host.HasValue)
        {
            return ShortAnswer.SendAsync(visit, StatusCodes.Status400BadRequest, "This page is shown over HTTPS only; ask for it by its name.");
        }
        var host = port == 443 ? request.Host.Host : $"{request.Host.Host}:{port}";
        response.Headers.Location = $"https://{host}{Asked(visit)}";
        return ShortAnswer.SendAsync(visit, StatusCodes.Status308PermanentRedirect, "This page is shown over HTTPS.");
    }

    /// <summary>As it was written, escapes and all, where that is a path.</summary>
    private static string Asked(HttpContext visit) =>
        visit.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] target && target.All(character => character is > ' ' and < '\u007f')
            ? target
            : visit.Request.GetEncodedPathAndQuery() is ['/', ..] path ? path : "/";
}

/// <summary>Tells browsers to come by HTTPS from now on. Nothing of it stands in an answer by HTTP, where nobody should believe it.</summary>
/// <param name="forget">For how long.</param>
internal sealed class StrictTransport(TimeSpan forget)
{
    private readonly string _value = $"max-age={(long)forget.TotalSeconds}";

    public Task ReceiveAsync(HttpContext visit, RequestDelegate next)
    {
        if (visit.Request.IsHttps)
        {
            // At last: what the app says of it is replaced.
            visit.Response.OnStarting(() =>
            {
                visit.Response.Headers.StrictTransportSecurity = _value;
                return Task.CompletedTask;
            });
        }
        return next(visit);
    }
}
