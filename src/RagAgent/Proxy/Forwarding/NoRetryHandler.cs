namespace RagAgent.Proxy.Forwarding;

/// <summary>Sends a request that the app may act on only once. <see cref="ProxyHandler"/> decides whether to try again.</summary>
/// <remarks>
/// When the app closes the connection before it answers, .NET's client retries up to three times, whatever the method,
/// but never a request with a body. So this adds an empty body to a request without one.
/// The transformer can't do that: the forwarder rejects a body that it did not add itself.
/// </remarks>
internal sealed class NoRetryHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!IsSafe(request.Method))
        {
            request.Content ??= new ByteArrayContent([]);
        }
        return base.SendAsync(request, cancellationToken);
    }

    /// <summary>RFC 9110, 9.2.1; and CONNECT, which opens a WebSocket.</summary>
    private static bool IsSafe(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options ||
        method == HttpMethod.Trace || method == HttpMethod.Connect;
}
