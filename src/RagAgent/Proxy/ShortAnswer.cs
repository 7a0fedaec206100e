using Microsoft.AspNetCore.Http;

namespace RagAgent.Proxy;

/// <summary>What the front door says by itself: one sentence.</summary>
internal static class ShortAnswer
{
    public static Task SendAsync(HttpContext visit, int status, string sentence)
    {
        var response = visit.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        return response.WriteAsync(sentence + "\n", visit.RequestAborted);
    }
}
