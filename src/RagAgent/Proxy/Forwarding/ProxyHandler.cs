using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using RagAgent.Configuration;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.StatusPage;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Forwards requests to the app, holds them during a restart, and otherwise answers with the status page.</summary>
internal sealed class ProxyHandler(
    IHttpForwarder forwarder,
    InFlightRequests inFlight,
    StateFeed feed,
    HeldRequests heldRequests,
    StatusPageEvents events,
    UnavailableResponse unavailable,
    TimeProvider time) : IDisposable
{
    // The status page shows progress and reloads automatically. A page request waits only as long as the status page would just flicker.
    public static readonly TimeSpan PageMaxHold = TimeSpan.FromSeconds(3);

    // A slow answer from a model may take minutes.
    private static readonly ForwarderRequestConfig RequestConfig = new() { ActivityTimeout = TimeSpan.FromMinutes(10) };

    // A WebSocket lives as long as both ends do, however quiet they are.
    private static readonly ForwarderRequestConfig WebSocketConfig = new() { ActivityTimeout = Timeout.InfiniteTimeSpan };

    private readonly RequestRouter _router = new(feed, inFlight);

    private readonly HttpMessageInvoker _client = new(new NoRetryHandler(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // One HTTP/2 connection carries up to 100 requests: without a limit they could use up the agent's own file descriptors.
        MaxConnectionsPerServer = ConnectionCapacity.MaxConnections,
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    }));

    /// <param name="context">The request.</param>
    /// <param name="stopping">Fires when the front door closes: held requests are answered at once.</param>
    public async Task HandleAsync(HttpContext context, CancellationToken stopping)
    {
        using var aborted = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await (context.Request.Path.StartsWithSegments(ReservedUrlPaths.Prefix, StringComparison.Ordinal)
                ? HandleAgentPathAsync(context, aborted.Token)
                : ProxyAsync(context, aborted.Token));
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            // The client has disconnected, or the front door closes while it listens to events. Neither is an error.
        }
    }

    /// <summary>Below the agent's own path there are only the status page's events.</summary>
    private async Task HandleAgentPathAsync(HttpContext context, CancellationToken aborted)
    {
        if (context.Request.Path != ReservedUrlPaths.Events)
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
            // The instance is about to stop. Open sessions may use the app until then, new page loads get the status page.
            await unavailable.SendAsync(context);
            return;
        }
        TimeSpan? maxHold = isPageRequest ? PageMaxHold : null;
        var isFirstAttempt = true;
        do
        {
            while (_router.Begin(context) is { } request)
            {
                using (request)
                {
                    if (await ForwardAsync(context, request, aborted))
                    {
                        return;
                    }
                }
                if (!isFirstAttempt || !MayRetry(context) || !await heldRequests.WaitForChangeAsync(request.Container, aborted))
                {
                    await unavailable.SendAsync(context);
                    return;
                }
                isFirstAttempt = false;
                PrepareForAnother(context);
            }
        }
        while (await heldRequests.WaitAsync(maxHold, aborted));
        await unavailable.SendAsync(context);
    }

    public void Dispose() => _client.Dispose();

    /// <returns>False if the app did not answer and nothing was sent to the client yet.</returns>
    private async Task<bool> ForwardAsync(HttpContext context, InFlightRequest request, CancellationToken aborted)
    {
        using var activity = request.Session is null ? inFlight.Activity.Track(context) : null;
        if (!_router.MayAskDraining(context))
        {
            return await SendAsync(context, request, ForwardedHeadersTransformer.Instance, aborted);
        }
        var missing = new MissingFileDetector();
        var isAnswered = await SendAsync(context, request, missing, aborted);
        if (!missing.IsMissing)
        {
            return isAnswered;
        }
        using (var atDraining = _router.BeginAtDraining())
        {
            missing = new MissingFileDetector();
            PrepareForAnother(context);
            if (atDraining is not null && await SendAsync(context, atDraining, missing, aborted) && !missing.IsMissing)
            {
                return true;
            }
        }
        // Neither has it: the client gets what the serving container says. Nothing was kept of that, so it is asked again.
        PrepareForAnother(context);
        return await SendAsync(context, request, ForwardedHeadersTransformer.Instance, aborted);
    }

    /// <summary>The forwarder doesn't touch a response with another status.</summary>
    private static void PrepareForAnother(HttpContext context) => context.Response.StatusCode = StatusCodes.Status200OK;

    /// <returns>False if the app did not answer and nothing was sent to the client yet.</returns>
    private async Task<bool> SendAsync(
        HttpContext context, InFlightRequest request, ForwardedHeadersTransformer transformer, CancellationToken aborted)
    {
        // A plain request may finish when the front door closes. A WebSocket has no end of its own.
        await using var webSocket = request.Session is { } opening ? new ClosableWebSocket(context, opening.Tracker, time, aborted) : null;
        request.Session?.Socket = webSocket;
        var destination = $"http://127.0.0.1:{request.Container.HostPort}";
        var error = await forwarder.SendAsync(
            context,
            destination,
            _client,
            webSocket is null ? RequestConfig : WebSocketConfig,
            transformer,
            webSocket?.Closed ?? default);
        // Judged by status: the forwarder reports many errors when an app goes away, and another status when the client is at fault.
        return error == ForwarderError.None || context.Response is not
        {
            HasStarted: false,
            StatusCode: StatusCodes.Status502BadGateway or StatusCodes.Status504GatewayTimeout,
        };
    }

    /// <summary>Whether the app can't have acted on the request: there was no connection, or it is a GET or HEAD without a body.</summary>
    private static bool MayRetry(HttpContext context) =>
        context.GetForwarderErrorFeature()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } ||
        ((HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) &&
         context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false });

    /// <summary>An HTTP/1.1 upgrade, or an HTTP/2 extended CONNECT (RFC 8441).</summary>
    public static bool IsWebSocket(HttpContext context) =>
        context.Request.Headers.Upgrade.Count > 0 || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
}
