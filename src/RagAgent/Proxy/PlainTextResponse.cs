namespace RagAgent.Proxy;

/// <summary>The front door's own answers outside the status page: one sentence each.</summary>
internal static class PlainTextResponse
{
    /// <param name="context">The request to answer.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="message">One sentence.</param>
    /// <param name="noStore">Whether to send <c>Cache-Control: no-store</c>.</param>
    public static Task SendAsync(HttpContext context, int status, string message, bool noStore = true)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        if (noStore)
        {
            response.Headers.CacheControl = "no-store";
        }
        return response.WriteAsync(message + "\n", context.RequestAborted);
    }
}
