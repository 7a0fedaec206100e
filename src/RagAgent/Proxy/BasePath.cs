using Microsoft.AspNetCore.Http;

namespace RagAgent.Proxy;

/// <summary>The app lives below a path, which it knows itself (Streamlit's <c>server.baseUrlPath</c>): what is below it passes as it is, and there is nothing else.</summary>
/// <param name="path">Begins with a slash, and does not end with one.</param>
internal sealed class BasePath(string path)
{
    private const string Ours = "/_ragagent";

    public Task ReceiveAsync(HttpContext visit, RequestDelegate next)
    {
        var asked = visit.Request.Path;
        if (asked.StartsWithSegments(path, StringComparison.Ordinal) || asked.StartsWithSegments(Ours, StringComparison.Ordinal))
        {
            return next(visit);
        }
        if (asked != "/")
        {
            return ShortAnswer.SendAsync(visit, StatusCodes.Status404NotFound, $"There is nothing here; the app is at {path}/.");
        }
        visit.Response.Headers.Location = $"{path}/{visit.Request.QueryString.ToUriComponent()}";
        return ShortAnswer.SendAsync(visit, StatusCodes.Status307TemporaryRedirect, $"The app is at {path}/.");
    }
}
