namespace RagAgent.Proxy.Forwarding;

/// <summary>The app lives below a path, which it knows itself (Streamlit's <c>server.baseUrlPath</c>): what is below it passes as it is, and there is nothing else.</summary>
/// <param name="path">Begins with a slash, and does not end with one.</param>
internal sealed class BasePathMiddleware(string path)
{
    private const string AgentPath = "/_ragagent";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var requestPath = context.Request.Path;
        if (requestPath.StartsWithSegments(path, StringComparison.Ordinal) || requestPath.StartsWithSegments(AgentPath, StringComparison.Ordinal))
        {
            return next(context);
        }
        if (requestPath != "/")
        {
            return PlainTextResponse.SendAsync(context, StatusCodes.Status404NotFound, $"There is nothing here; the app is at {path}/.");
        }
        context.Response.Headers.Location = $"{path}/{context.Request.QueryString.ToUriComponent()}";
        return PlainTextResponse.SendAsync(context, StatusCodes.Status307TemporaryRedirect, $"The app is at {path}/.");
    }
}
