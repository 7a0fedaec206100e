using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LocalAws.Requests;
using LocalAws.Signing;

namespace LocalAws.Registry;

/// <summary>
/// The target of ECR's redirects for blobs, instead of S3: another host with signed URLs that are valid for an hour. Refuses requests
/// that carry the registry's Authorization header.
/// </summary>
internal sealed class BlobStorage(
    string region, Func<string> address, RegistryForwarder forwarder, RequestInterceptor interceptor, TimeProvider clock)
{
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly string _bucket = $"/prod-{region}-starport-layer-bucket/";

    public string PresignedUrl(string repository, string digest)
    {
        var path = $"{_bucket}{repository}/{digest}";
        var date = SignatureVersion4.Format(clock.GetUtcNow());
        return $"{address()}{path}?X-Amz-Algorithm={SignatureVersion4.Algorithm}&X-Amz-Date={date}"
            + $"&X-Amz-Expires={LinkLifetime.TotalSeconds:0}&X-Amz-Signature={Sign(path, date)}";
    }

    public async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        await interceptor.InterceptAsync(context, Operations.StorageBlob, "storage", path, null, f => f.AffectsBody, Operations.RegistryBlob);
        if (Validate(context, path) is var (status, code, message))
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/xml";
            await context.Response.WriteAsync(
                $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>", context.RequestAborted);
            return;
        }
        var (repository, digest) = Split(path);
        await forwarder.SendAsync(context, $"/v2/{repository}/blobs/{digest}");
    }

    private (int Status, string Code, string Message)? Validate(HttpContext context, string path)
    {
        var query = context.Request.Query;
        var date = query["X-Amz-Date"].ToString();
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            return (StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.");
        }

        if (context.Request.Headers.ContainsKey("Authorization"))
        {
            return (StatusCodes.Status400BadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                + "parameter, Signature query string parameter or the Authorization header should be specified");
        }

        if (!path.StartsWith(_bucket, StringComparison.Ordinal) || !CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(Sign(path, date)), Encoding.UTF8.GetBytes(query["X-Amz-Signature"].ToString())))
        {
            return (StatusCodes.Status403Forbidden, "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
        }

        var signed = DateTimeOffset.ParseExact(
            date, SignatureVersion4.TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return clock.GetUtcNow() > signed + LinkLifetime ? (StatusCodes.Status403Forbidden, "AccessDenied", "Request has expired") : null;
    }

    private (string Repository, string Digest) Split(string path)
    {
        var slash = path.LastIndexOf('/');
        return (path[_bucket.Length..slash], path[(slash + 1)..]);
    }

    private string Sign(string path, string date) => SignatureVersion4.Hex(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{date}\n{path}")));
}
