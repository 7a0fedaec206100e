using System.Text.RegularExpressions;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.Tls;

/// <summary>
/// Serves what an ACME client, such as <c>certbot certonly --webroot</c>, wrote for the certificate authority
/// (HTTP-01, RFC 8555 section 8.3).
/// </summary>
/// <remarks>
/// Over HTTP only, which is what an authority uses.
/// Nothing else below the webroot can be reached: a token contains neither dots nor slashes.
/// </remarks>
/// <param name="webroot">The folder given to certbot.</param>
/// <param name="logger">Reports a challenge that this user may not read.</param>
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
            await PlainTextResponse.SendAsync(context, StatusCodes.Status405MethodNotAllowed, "A challenge can only be read.");
        }
        else if (Token().Match(rest.Value ?? "") is { Success: true } token &&
                 await ReadAsync(token.Groups[1].Value, context.RequestAborted) is { } content)
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        }
        else
        {
            await PlainTextResponse.SendAsync(context, StatusCodes.Status404NotFound, "There is no challenge with this name.");
        }
    }

    private async Task<byte[]?> ReadAsync(string token, CancellationToken stopping)
    {
        var path = $"{webroot.TrimEnd('/')}{PathPrefix}/{token}";
        try
        {
            // An ACME client writes regular files. A symbolic link could point anywhere.
            if (new FileInfo(path) is { LinkTarget: null, Length: <= MaxSize } && FileKind.Detect(path) is null or FileKind.Regular)
            {
                return await File.ReadAllBytesAsync(path, stopping);
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;   // not a request from an authority
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Only once: anyone can send such requests.
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
