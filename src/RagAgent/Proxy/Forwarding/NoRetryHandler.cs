namespace RagAgent.Proxy.Forwarding;

/// <summary>What the app may act on, it is asked once. Whether to ask again is for the reception to say.</summary>
/// <remarks>
/// When the app hangs up before it answers, the framework's client asks again by itself, up to three times and whatever the method. It does not with what has a body,
/// so one without gets an empty one. Not in the transformer: the forwarder refuses a body that it has not put there.
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

    /// <summary>RFC 9110, 9.2.1; and CONNECT, which begins a session.</summary>
    private static bool IsSafe(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace || method == HttpMethod.Connect;
}
