namespace RagAgent.Proxy;

/// <summary>What the front door says by itself: one sentence.</summary>
internal static class PlainTextResponse
{
    public static Task SendAsync(HttpContext context, int status, string message)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        return response.WriteAsync(message + "\n", context.RequestAborted);
    }
}
