using System.Net.Http.Headers;
using System.Text;
using LocalAws.Ecr;
using LocalAws.Faults;
using LocalAws.Requests;
using Microsoft.AspNetCore.Http.Extensions;

namespace LocalAws.Registry;

/// <summary>
/// Makes a plain registry behave like ECR: Basic authentication with expiring tokens, repositories that must exist, ECR's messages and
/// its redirects.
/// </summary>
internal sealed class EcrRegistry(
    LocalAwsOptions options,
    RegistryTokens tokens,
    Repositories repositories,
    RegistryForwarder forwarder,
    BlobStorage storage,
    RequestInterceptor interceptor)
{
    public async Task HandleAsync(HttpContext context)
    {
        var route = RegistryRoute.Parse(context.Request.Path.Value!);
        var password = PasswordOf(context.Request);
        var state = password is null ? TokenState.Unknown : tokens.Check(password);
        var principal = password is null ? null : tokens.PrincipalOf(password);
        var redirect = options.RedirectBlobs && route.Operation == Operations.RegistryBlob && context.Request.Method == "GET";
        // Error faults only apply to authenticated callers, so the first request of `docker pull`, without a password, uses none up.
        // The storage sends the bytes of a redirected blob, so faults of the body apply there.
        var fault = await interceptor.InterceptAsync(context, route.Operation, "registry", route.ToString(), principal,
            f => (state == TokenState.Valid || f is not Fault.Error) && !(redirect && f.AffectsBody));
        if (fault is Fault.Error error)
        {
            var action = RegistryActions.ActionFor(route.Operation, context.Request.Method) ?? "ecr:BatchGetImage";
            await RegistryError.FromFault(error, principal, action, ArnOf(route)).WriteAsync(context);
        }
        else if (state == TokenState.Unknown)
        {
            await ChallengeAsync(context);
        }
        else if (state == TokenState.Expired)
        {
            await RegistryError.TokenExpired.WriteAsync(context);
        }
        else
        {
            await HandleAsync(context, route, redirect);
        }
    }

    private async Task HandleAsync(HttpContext context, RegistryRoute route, bool redirect)
    {
        var path = context.Request.GetEncodedPathAndQuery();
        if (route.Repository is { } repository && !RepositoryExists(repository, route, context.Request.Method))
        {
            await RegistryError.RepositoryNotFound(repository, options.AccountId).WriteAsync(context);
        }
        else if (redirect && await forwarder.ExistsAsync(path, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = storage.PresignedUrl(route.Repository!, route.Reference!);
        }
        else
        {
            var isManifestRead = route.Operation == Operations.RegistryManifest && context.Request.Method is ("GET" or "HEAD");
            await forwarder.SendAsync(context, path, isManifestRead ? RegistryError.ImageNotFound : null);
        }
    }

    private bool RepositoryExists(string repository, RegistryRoute route, string method)
    {
        var isPush = (route.Operation, method) is (Operations.RegistryUpload, "POST") or (Operations.RegistryManifest, "PUT");
        if (isPush && options.CreateRepositoryOnPush)
        {
            repositories.Create(repository);
        }

        return repositories.Exists(repository);
    }

    private static async Task ChallengeAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        context.Response.Headers.WWWAuthenticate = $"Basic realm=\"http://{context.Request.Host}/\",service=\"ecr.amazonaws.com\"";
        context.Response.ContentType = "text/plain; charset=utf-8";
        if (context.Request.Method != "HEAD")
        {
            await context.Response.WriteAsync("Not Authorized\n", context.RequestAborted);
        }
    }

    private string ArnOf(RegistryRoute route) =>
        route.Repository is null ? "*" : $"arn:aws:ecr:{options.Region}:{options.AccountId}:repository/{route.Repository}";

    private static string? PasswordOf(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            || !string.Equals(header.Scheme, "Basic", StringComparison.OrdinalIgnoreCase) || header.Parameter is null)
        {
            return null;
        }

        var bytes = new byte[header.Parameter.Length];
        if (!Convert.TryFromBase64String(header.Parameter, bytes, out var length))
        {
            return null;
        }

        return Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is ["AWS", var password] ? password : null;
    }
}
