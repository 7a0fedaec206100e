using LocalAws.Signing;
using Microsoft.AspNetCore.Http.Features;

namespace LocalAws.Services;

/// <summary>What all AWS protocols have in common: reads the whole body and verifies the signature.</summary>
internal static class RequestAuthentication
{
    private const int MaxBodySize = 1 << 20;

    /// <exception cref="AwsErrorException">The body is larger than any valid call.</exception>
    public static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            body.Write(buffer, 0, read);
            if (body.Length > MaxBodySize)
            {
                throw new AwsErrorException(AwsError.BadRequest("ValidationException", "The request body is larger than 1 MiB."));
            }
        }
        return body.ToArray();
    }

    /// <returns>The caller, or the reason why the signature is refused. It isn't thrown, because a fault may take precedence.</returns>
    public static (AwsCredential? Caller, AwsErrorException? Refusal) Verify(
        SignatureVerifier verifier, HttpContext context, byte[] body, string service)
    {
        try
        {
            return (verifier.Verify(ToSignedRequest(context, body), service), null);
        }
        catch (AwsErrorException refusal)
        {
            return (null, refusal);
        }
    }

    private static SignedRequest ToSignedRequest(HttpContext context, byte[] body)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        var headers = context.Request.Headers.ToDictionary(
            h => h.Key.ToLowerInvariant(), h => string.Join(',', h.Value.AsEnumerable()), StringComparer.Ordinal);
        return new SignedRequest(context.Request.Method, target[0], target.Length > 1 ? target[1] : "", headers, body);
    }
}
