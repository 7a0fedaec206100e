namespace RagAgent.Proxy;

/// <summary>Answers a request on which the agent itself failed: the log gets the exception, the client one plain sentence.</summary>
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
            return;   // the client has disconnected
        }
        catch (BadHttpRequestException exception)
        {
            // The client's fault: its body is malformed or never arrived.
            await RespondAsync(context, exception.StatusCode, "The request is malformed or incomplete.");
        }
        catch (Exception exception)
        {
            logger.RequestFailed(exception, context.Request.Method);
            await RespondAsync(
                context, StatusCodes.Status500InternalServerError, "Something went wrong. The operator can find the cause in the log.");
        }
    }

    private static Task RespondAsync(HttpContext context, int status, string message)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();   // half a response must not look complete
            return Task.CompletedTask;
        }
        context.Response.Clear();
        return PlainTextResponse.SendAsync(context, status, message);
    }
}
