using System.Net;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Stops an answer that says that the app doesn't have a file, so that another container can be asked. Serves one request.
/// </summary>
internal sealed class MissingFileDetector : ForwardedHeadersTransformer
{
    /// <summary>The app doesn't have it. Nothing was sent to the client.</summary>
    public bool IsMissing { get; private set; }

    public override ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        IsMissing = proxyResponse is not null && IsAboutMissingFile(httpContext.Request.Path, proxyResponse);
        return IsMissing ? ValueTask.FromResult(false) : base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
    }

    /// <summary>Streamlit answers with its page, and 200, when it doesn't have a script or style sheet of its page.</summary>
    private static bool IsAboutMissingFile(PathString path, HttpResponseMessage response) => response.StatusCode switch
    {
        HttpStatusCode.NotFound => true,
        HttpStatusCode.OK => path.Value is { } file && file.Contains("/static/", StringComparison.Ordinal) &&
            !file.EndsWith(".html", StringComparison.OrdinalIgnoreCase) &&
            response.Content.Headers.ContentType?.MediaType == "text/html",
        _ => false,
    };
}
