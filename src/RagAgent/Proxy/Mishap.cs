using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RagAgent.Proxy;

/// <summary>The last resort of a request that the agent itself fails at: a line for the operator, and for the visitor no more than that it happened.</summary>
internal static class Mishap
{
    public static async Task CatchAsync(HttpContext visit, RequestDelegate inside, ILogger logger)
    {
        try
        {
            await inside(visit);
        }
        catch (OperationCanceledException) when (visit.RequestAborted.IsCancellationRequested)
        {
            return;   // the visitor has gone
        }
        catch (BadHttpRequestException e)
        {
            // The visitor's own doing: a body that is no body, or one that does not come.
            await TellAsync(visit, e.StatusCode, "The request can't be understood.");
        }
        catch (Exception e)
        {
            logger.RequestBroke(e, visit.Request.Method);
            await TellAsync(visit, StatusCodes.Status500InternalServerError, "Something went wrong here. The operator finds it in the log.");
        }
    }

    private static async Task TellAsync(HttpContext visit, int status, string sentence)
    {
        if (visit.Response.HasStarted)
        {
            visit.Abort();   // half an answer must not look like a whole one
            return;
        }
        visit.Response.Clear();
        visit.Response.StatusCode = status;
        visit.Response.ContentType = "text/plain; charset=utf-8";
        visit.Response.Headers.CacheControl = "no-store";
        await visit.Response.WriteAsync(sentence + "\n", visit.RequestAborted);
    }
}
