using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.StatusPage;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Brings a visitor to the app when it serves, holds him while that is about to be so again, and tells what is going on when it is not.</summary>
internal sealed class ProxyHandler(IHttpForwarder forwarder, InFlightRequests inFlight, StateFeed feed, HeldRequests heldRequests, StatusPageEvents events, UnavailableResponse unavailable) : IDisposable
{
    // What stands below it no app would use; all else is the app's.
    private static readonly PathString AgentPath = new("/_ragagent");

    // A page is loaded again by itself, and says what is going on meanwhile: it waits only where that would be a flicker.
    public static readonly TimeSpan PageMaxHold = TimeSpan.FromSeconds(3);

    // Streamlit pings an idle WebSocket every 30 s; a slow answer of a model may take minutes.
    private static readonly ForwarderRequestConfig RequestConfig = new() { ActivityTimeout = TimeSpan.FromMinutes(10) };

    private readonly HttpMessageInvoker _client = new(new NoRetryHandler(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // A visitor's one connection of HTTP/2 carries a hundred requests: without a bound they could use up the agent's own files.
        MaxConnectionsPerServer = FileDescriptorLimit.MaxConnections,
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    }));

    /// <param name="context">The request.</param>
    /// <param name="stopping">The front door closes: who waits is answered at once.</param>
    public async Task HandleAsync(HttpContext context, CancellationToken stopping)
    {
        using var aborted = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await (context.Request.Path.StartsWithSegments(AgentPath, StringComparison.Ordinal, out var rest) ? HandleAgentPathAsync(context, rest, aborted.Token) : ProxyAsync(context, aborted.Token));
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            // The visitor has gone, or hears no more news: neither is a failure.
        }
    }

    /// <summary>At the agent's own addresses there are the page's news, and nothing else is told.</summary>
    private async Task HandleAgentPathAsync(HttpContext context, PathString rest, CancellationToken aborted)
    {
        if (rest != "/events")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = HttpMethods.Get;
        }
        else if (!await events.StreamAsync(context, aborted))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "10";
        }
    }

    private async Task ProxyAsync(HttpContext context, CancellationToken aborted)
    {
        var isPageRequest = UnavailableResponse.AcceptsHtml(context.Request);
        if (isPageRequest && IdleStop.IsAccepted(feed.State))
        {
            // The app would be there for some seconds more; who uses it already may do so.
            await unavailable.SendAsync(context);
            return;
        }
        TimeSpan? maxHold = isPageRequest ? PageMaxHold : null;
        var isFirstAttempt = true;
        do
        {
            while (BeginRequest(context) is var (container, request))
            {
                using (request)
                {
                    if (await ForwardAsync(context, container))
                    {
                        return;
                    }
                }
                if (!isFirstAttempt || !MayRetry(context) || !await heldRequests.WaitForChangeAsync(container, aborted))
                {
                    await unavailable.SendAsync(context);
                    return;
                }
                isFirstAttempt = false;
                context.Response.StatusCode = StatusCodes.Status200OK;   // the forwarder leaves an answer alone that is there already
            }
        }
        while (await heldRequests.WaitAsync(maxHold, aborted));
        await unavailable.SendAsync(context);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Counts the visit with the container that serves; null when none does.</summary>
    private (Container Container, IDisposable Stay)? BeginRequest(HttpContext context)
    {
        while (ServingContainer() is { } container)
        {
            var request = inFlight.Begin(container, IsWebSocket(context));
            // Counted, then looked at again: a drain that begins in between finds this visit counted, or this visit finds what began it.
            if (ServingContainer() is { } current && IsSame(current, container))
            {
                return (container, request);
            }
            request.Dispose();
        }
        return null;
    }

    private Container? ServingContainer() => feed.State.Front is ContainerState.Serving { Container: { HostPort: not null } container } ? container : null;

    private static bool IsSame(Container one, Container other) => (one.Id, one.HostPort) == (other.Id, other.HostPort);

    /// <returns>False: the app did not answer, and nothing was sent to the visitor yet.</returns>
    private async Task<bool> ForwardAsync(HttpContext context, Container container)
    {
        using var activity = inFlight.Activity.Track(context);
        var error = await forwarder.SendAsync(context, $"http://127.0.0.1:{container.HostPort}", _client, RequestConfig, ForwardedHeadersTransformer.Instance);
        // By the status that the forwarder has set: it fails in many ways when the app goes, and the visitor's own faults have another one.
        return error == ForwarderError.None || context.Response is not { HasStarted: false, StatusCode: StatusCodes.Status502BadGateway or StatusCodes.Status504GatewayTimeout };
    }

    /// <summary>Nothing of it has left, for there was no connection; or it only asks to be shown something, and may be asked twice.</summary>
    private static bool MayRetry(HttpContext context) =>
        context.GetForwarderErrorFeature()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } ||
        ((HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false });

    /// <summary>A WebSocket: by an upgrade of HTTP/1.1, or an extended CONNECT of HTTP/2 (RFC 8441).</summary>
    private static bool IsWebSocket(HttpContext context) =>
        context.Request.Headers.Upgrade.Count > 0 || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
}

/// <summary>The app sees the host that the visitor asked for: Streamlit accepts a WebSocket only when its origin equals it.</summary>
internal sealed class ForwardedHeadersTransformer : HttpTransformer
{
    public static ForwardedHeadersTransformer Instance { get; } = new();

    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        proxyRequest.RequestUri = RawRequestUri(httpContext, destinationPrefix);
        var connectionHeaders = httpContext.Request.Headers.GetCommaSeparatedValues("Connection");
        foreach (var name in proxyRequest.Headers.Select(header => header.Key).Where(name => IsForwardingHeader(name) || IsHopByHop(name, connectionHeaders)).ToArray())
        {
            proxyRequest.Headers.Remove(name);
        }
        // After what was taken out. Without one, as from HTTP/1.0, the app's own address would be told, which is none of the visitor's business.
        proxyRequest.Headers.Host = httpContext.Request.Host is { HasValue: true, Value: var host } ? host : "localhost";
        SetHeader(proxyRequest, "X-Forwarded-For", ClientAddress(httpContext.Connection.RemoteIpAddress));
        SetHeader(proxyRequest, "X-Forwarded-Proto", httpContext.Request.Scheme);
        SetHeader(proxyRequest, "X-Forwarded-Host", httpContext.Request.Host.Value);
    }

    /// <summary>The path and query as the visitor wrote them, <c>%2F</c>, <c>//</c> and <c>..</c> among it: what they mean is for the app to say.</summary>
    /// <returns>Null: it was no plain path; the forwarder makes one of it.</returns>
    private static Uri? RawRequestUri(HttpContext context, string destination) =>
        context.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] target && !target.AsSpan().ContainsAnyExceptInRange('!', '~') && !target.Contains('#', StringComparison.Ordinal)
            ? new Uri(destination + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })
            : null;

    /// <summary>What a visitor sent under these names is not believed.</summary>
    private static bool IsForwardingHeader(string header) =>
        header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase) ||
        header.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);

    /// <summary>What <c>Connection</c> names goes no further than here (RFC 9110, 7.6.1); the forwarder takes out those that are known by themselves, and puts in what a WebSocket needs. Beside <c>close</c> or <c>keep-alive</c> Kestrel keeps no name.</summary>
    private static bool IsHopByHop(string header, string[] connectionHeaders) =>
        connectionHeaders.Contains(header, StringComparer.OrdinalIgnoreCase) && !header.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    /// <summary>The door listens for both families on one socket, where an IPv4 visitor has an IPv6 address.</summary>
    private static string? ClientAddress(IPAddress? client) => (client is { IsIPv4MappedToIPv6: true } ? client.MapToIPv4() : client)?.ToString();

    private static void SetHeader(HttpRequestMessage request, string name, string? value) => request.Headers.TryAddWithoutValidation(name, value ?? "");
}
