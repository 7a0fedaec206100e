using System.Text.RegularExpressions;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.Tls;

/// <summary>Shows a certificate authority what an ACME client wrote for it (HTTP-01, RFC 8555 section 8.3), as <c>certbot certonly --webroot</c> does.</summary>
/// <remarks>By HTTP only, which is where an authority asks. Nothing else of the webroot can be had: a token has no dots and no slashes.</remarks>
/// <param name="webroot">The folder that is given to certbot.</param>
/// <param name="logger">Where it is told that this user may not read it.</param>
internal sealed partial class AcmeChallenge(string webroot, ILogger logger)
{
    private const string PathPrefix = "/.well-known/acme-challenge";
    private const int MaxSize = 4096;
    private int _unreadableLogged;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.IsHttps || !context.Request.Path.StartsWithSegments(PathPrefix, StringComparison.Ordinal, out var rest))
        {
            await next(context);
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await PlainTextResponse.SendAsync(context, StatusCodes.Status405MethodNotAllowed, "A challenge can be read only.");
        }
        else if (Token().Match(rest.Value ?? "") is { Success: true } token && await ReadAsync(token.Groups[1].Value, context.RequestAborted) is { } content)
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        }
        else
        {
            await PlainTextResponse.SendAsync(context, StatusCodes.Status404NotFound, "There is no challenge of this name.");
        }
    }

    private async Task<byte[]?> ReadAsync(string token, CancellationToken stopping)
    {
        var path = $"{webroot.TrimEnd('/')}{PathPrefix}/{token}";
        try
        {
            // A client writes files. A link could lead anywhere.
            if (new FileInfo(path) is { LinkTarget: null, Length: <= MaxSize } && FileKind.Detect(path) is null or FileKind.Regular)
            {
                return await File.ReadAllBytesAsync(path, stopping);
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;   // asked for by somebody else than an authority
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Once: anybody may ask for anything.
            if (Interlocked.Exchange(ref _unreadableLogged, 1) == 0)
            {
                logger.ChallengeUnreadable(path, ExceptionMapping.DescribeCause(exception));
            }
        }
        return null;
    }

    [GeneratedRegex(@"\A/([A-Za-z0-9_-]{1,128})\z")]
    private static partial Regex Token();
}
