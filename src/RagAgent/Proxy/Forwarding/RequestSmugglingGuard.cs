using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Rejects requests that Kestrel and another HTTP parser, in front of it or behind, could read differently.
/// Where two disagree on where a request ends, an attacker can hide a second request in the first.
/// </summary>
internal static class RequestSmugglingGuard
{
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (FindViolation(context, context.Request) is not var (status, message))
        {
            return next(context);
        }
        context.Response.Headers.Connection = "close";   // it is unclear where the next request would start
        return PlainTextResponse.SendAsync(context, status, message, noStore: false);
    }

    private static (int Status, string Message)? FindViolation(HttpContext context, HttpRequest request) => request switch
    {
        // A WebSocket over HTTP/2 starts with CONNECT (RFC 8441).
        { Method: "CONNECT" } when context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true } =>
            (StatusCodes.Status405MethodNotAllowed, "This server is not a proxy to other hosts."),
        { Headers.TransferEncoding.Count: 0 } => null,
        // RFC 9112, 6.1: an HTTP/1.0 client does not know chunks, and a proxy in front may not either.
        { Protocol: "HTTP/1.0" } => (StatusCodes.Status400BadRequest, "HTTP/1.0 has no Transfer-Encoding."),
        // Kestrel accepts any list that ends with "chunked" and decodes only that.
        _ when !string.Equals(request.Headers.TransferEncoding, "chunked", StringComparison.OrdinalIgnoreCase) =>
            (StatusCodes.Status400BadRequest, "The only supported Transfer-Encoding is chunked."),
        _ => null,
    };
}
