using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Refuses requests that Kestrel reads in one way and another reader, before the door or behind it, could read in another: where two disagree on where a request ends, one can be hidden in it.</summary>
internal static class RequestSmugglingGuard
{
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (FindViolation(context, context.Request) is not var (status, message))
        {
            return next(context);
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.Connection = "close";   // where the next one would begin is in doubt
        return context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }

    private static (int Status, string Sentence)? FindViolation(HttpContext context, HttpRequest request) => request switch
    {
        // A WebSocket in HTTP/2 begins with one (RFC 8441).
        { Method: "CONNECT" } when context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true } => (StatusCodes.Status405MethodNotAllowed, "This is no proxy to elsewhere."),
        { Headers.TransferEncoding.Count: 0 } => null,
        // RFC 9112, 6.1: an older client does not know chunks, and somebody before us may not either.
        { Protocol: "HTTP/1.0" } => (StatusCodes.Status400BadRequest, "HTTP/1.0 has no Transfer-Encoding."),
        // Kestrel takes any list that ends in it, and undoes the last one only.
        _ when !string.Equals(request.Headers.TransferEncoding, "chunked", StringComparison.OrdinalIgnoreCase) => (StatusCodes.Status400BadRequest, "No Transfer-Encoding but chunked is understood."),
        _ => null,
    };
}
