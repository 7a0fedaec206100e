using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy;

/// <summary>Refuses requests that Kestrel reads in one way and another reader, before the door or behind it, could read in another: where two disagree on where a request ends, one can be hidden in it.</summary>
internal static class Framing
{
    public static Task CheckAsync(HttpContext visit, RequestDelegate inside)
    {
        if (Refusal(visit, visit.Request) is not var (status, sentence))
        {
            return inside(visit);
        }
        visit.Response.StatusCode = status;
        visit.Response.ContentType = "text/plain; charset=utf-8";
        visit.Response.Headers.Connection = "close";   // where the next one would begin is in doubt
        return visit.Response.WriteAsync(sentence + "\n", visit.RequestAborted);
    }

    private static (int Status, string Sentence)? Refusal(HttpContext visit, HttpRequest request) => request switch
    {
        // A WebSocket in HTTP/2 begins with one (RFC 8441).
        { Method: "CONNECT" } when visit.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true } => (StatusCodes.Status405MethodNotAllowed, "This is no proxy to elsewhere."),
        { Headers.TransferEncoding.Count: 0 } => null,
        // RFC 9112, 6.1: an older client does not know chunks, and somebody before us may not either.
        { Protocol: "HTTP/1.0" } => (StatusCodes.Status400BadRequest, "HTTP/1.0 has no Transfer-Encoding."),
        // Kestrel takes any list that ends in it, and undoes the last one only.
        _ when !string.Equals(request.Headers.TransferEncoding, "chunked", StringComparison.OrdinalIgnoreCase) => (StatusCodes.Status400BadRequest, "No Transfer-Encoding but chunked is understood."),
        _ => null,
    };
}
