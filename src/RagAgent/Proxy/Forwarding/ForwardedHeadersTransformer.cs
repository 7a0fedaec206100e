using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Passes on the host that the client asked for: Streamlit accepts a WebSocket only if its origin matches the host.
/// Replaces the <c>X-Forwarded-*</c> headers, and passes on path and query byte for byte.
/// </summary>
internal class ForwardedHeadersTransformer : HttpTransformer
{
    public static ForwardedHeadersTransformer Instance { get; } = new();

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        proxyRequest.RequestUri = RawRequestUri(httpContext, destinationPrefix);
        var connectionHeaders = httpContext.Request.Headers.GetCommaSeparatedValues("Connection");
        var untrusted = proxyRequest.Headers.Select(header => header.Key)
            .Where(name => IsForwardingHeader(name) || IsHopByHop(name, connectionHeaders));
        foreach (var name in untrusted.ToArray())
        {
            proxyRequest.Headers.Remove(name);
        }
        // After the removal, which may remove Host. Without a host, as from HTTP/1.0, the app would see its own loopback address.
        proxyRequest.Headers.Host = httpContext.Request.Host is { HasValue: true, Value: var host } ? host : "localhost";
        SetHeader(proxyRequest, "X-Forwarded-For", ClientAddress.Of(httpContext)?.ToString());
        SetHeader(proxyRequest, "X-Forwarded-Proto", httpContext.Request.Scheme);
        SetHeader(proxyRequest, "X-Forwarded-Host", httpContext.Request.Host.Value);
    }

    /// <summary>
    /// Path and query as the client wrote them, with <c>%2F</c>, <c>//</c> and <c>..</c>: the app decides what they mean.
    /// </summary>
    /// <returns>Null if the target is not a plain path; then the forwarder builds the URI.</returns>
    private static Uri? RawRequestUri(HttpContext context, string destination) =>
        context.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] target &&
        !target.AsSpan().ContainsAnyExceptInRange('!', '~') && !target.Contains('#', StringComparison.Ordinal)
            ? new Uri(destination + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })
            : null;

    /// <summary>Headers that a client could forge.</summary>
    private static bool IsForwardingHeader(string header) =>
        header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) ||
        header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase) ||
        header.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Headers named in <c>Connection</c> are not passed on (RFC 9110, 7.6.1).
    /// The forwarder already removes the standard ones, and adds what a WebSocket needs.
    /// Next to <c>close</c> or <c>keep-alive</c>, Kestrel drops the other names in <c>Connection</c>.
    /// </summary>
    private static bool IsHopByHop(string header, string[] connectionHeaders) =>
        connectionHeaders.Contains(header, StringComparer.OrdinalIgnoreCase) &&
        !header.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    private static void SetHeader(HttpRequestMessage request, string name, string? value) =>
        request.Headers.TryAddWithoutValidation(name, value ?? "");
}
