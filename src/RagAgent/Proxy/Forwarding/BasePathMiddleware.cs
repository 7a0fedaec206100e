using RagAgent.Configuration;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// For an app that lives below a base path (Streamlit's <c>server.baseUrlPath</c>): forwards requests below that path unchanged,
/// redirects the root to it and answers 404 to everything else.
/// </summary>
/// <param name="path">Starts with a slash and does not end with one.</param>
internal sealed class BasePathMiddleware(string path)
{
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var requestPath = context.Request.Path;
        if (requestPath.StartsWithSegments(path, StringComparison.Ordinal) ||
            requestPath.StartsWithSegments(ReservedUrlPaths.Prefix, StringComparison.Ordinal))
        {
            return next(context);
        }
        if (requestPath != "/")
        {
            return PlainTextResponse.SendAsync(context, StatusCodes.Status404NotFound, $"There is nothing here. The app is at {path}/.");
        }
        context.Response.Headers.Location = $"{path}/{context.Request.QueryString.ToUriComponent()}";
        return PlainTextResponse.SendAsync(context, StatusCodes.Status307TemporaryRedirect, $"The app is at {path}/.");
    }
}
