namespace RagAgent.Proxy;

/// <summary>The last resort of a request that the agent itself fails at: a line for the operator, and for the visitor no more than that it happened.</summary>
internal static class ErrorMiddleware
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;   // the visitor has gone
        }
        catch (BadHttpRequestException exception)
        {
            // The visitor's own doing: a body that is no body, or one that does not come.
            await RespondAsync(context, exception.StatusCode, "The request can't be understood.");
        }
        catch (Exception exception)
        {
            logger.RequestFailed(exception, context.Request.Method);
            await RespondAsync(context, StatusCodes.Status500InternalServerError, "Something went wrong here. The operator finds it in the log.");
        }
    }

    private static async Task RespondAsync(HttpContext context, int status, string message)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();   // half an answer must not look like a whole one
            return;
        }
        context.Response.Clear();
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }
}
