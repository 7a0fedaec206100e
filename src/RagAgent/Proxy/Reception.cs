using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RagAgent.Supervision;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy;

/// <summary>Brings a visitor to the app when it serves, holds him while that is about to be so again, and tells what is going on when it is not.</summary>
internal sealed class Reception(IHttpForwarder forwarder, Visits visits, StateBoard board, HeldRequests held, PageEvents events, Unserved unserved) : IDisposable
{
    // What stands below it no app would use; all else is the app's.
    private static readonly PathString Own = new("/_ragagent");

    // A page is loaded again by itself, and says what is going on meanwhile: it waits only where that would be a flicker.
    public static readonly TimeSpan PatienceOfPeople = TimeSpan.FromSeconds(3);

    // Streamlit pings an idle WebSocket every 30 s; a slow answer of a model may take minutes.
    private static readonly ForwarderRequestConfig Patience = new() { ActivityTimeout = TimeSpan.FromMinutes(10) };

    private readonly HttpMessageInvoker _app = new(new AskedOnce(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // A visitor's one connection of HTTP/2 carries a hundred requests: without a bound they could use up the agent's own files.
        MaxConnectionsPerServer = OpenFiles.MostConnections,
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    }));

    /// <param name="visit">The request.</param>
    /// <param name="ending">The front door closes: who waits is answered at once.</param>
    public async Task ReceiveAsync(HttpContext visit, CancellationToken ending)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(visit.RequestAborted, ending);
        try
        {
            await (visit.Request.Path.StartsWithSegments(Own, StringComparison.Ordinal, out var rest) ? AnswerAsync(visit, rest, leaving.Token) : BringAsync(visit, leaving.Token));
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // The visitor has gone, or hears no more news: neither is a failure.
        }
    }

    /// <summary>At the agent's own addresses there are the page's news, and nothing else is told.</summary>
    private async Task AnswerAsync(HttpContext visit, PathString rest, CancellationToken leaving)
    {
        if (rest != "/events")
        {
            visit.Response.StatusCode = StatusCodes.Status404NotFound;
        }
        else if (!HttpMethods.IsGet(visit.Request.Method))
        {
            visit.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            visit.Response.Headers.Allow = HttpMethods.Get;
        }
        else if (!await events.TellAsync(visit, leaving))
        {
            visit.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            visit.Response.Headers.RetryAfter = "10";
        }
    }

    private async Task BringAsync(HttpContext visit, CancellationToken leaving)
    {
        var isReader = Unserved.ReadsPages(visit.Request);
        if (isReader && IdleStop.IsAccepted(board.State))
        {
            // The app would be there for some seconds more; who uses it already may do so.
            await unserved.TellAsync(visit);
            return;
        }
        TimeSpan? patience = isReader ? PatienceOfPeople : null;
        var mayTryAnother = true;
        do
        {
            while (Enter(visit) is var (container, stay))
            {
                using (stay)
                {
                    if (await ForwardAsync(visit, container))
                    {
                        return;
                    }
                }
                if (!mayTryAnother || !MayAskAgain(visit) || !await held.WaitForNewsAsync(container, leaving))
                {
                    await unserved.TellAsync(visit);
                    return;
                }
                mayTryAnother = false;
                visit.Response.StatusCode = StatusCodes.Status200OK;   // the forwarder leaves an answer alone that is there already
            }
        }
        while (await held.WaitAsync(patience, leaving));
        await unserved.TellAsync(visit);
    }

    public void Dispose() => _app.Dispose();

    /// <summary>Counts the visit with the container that serves; null when none does.</summary>
    private (Container Container, IDisposable Stay)? Enter(HttpContext visit)
    {
        while (Serving() is { } container)
        {
            var stay = visits.Begin(container, IsUpgrade(visit));
            // Counted, then looked at again: a drain that begins in between finds this visit counted, or this visit finds what began it.
            if (Serving() is { } still && IsSame(still, container))
            {
                return (container, stay);
            }
            stay.Dispose();
        }
        return null;
    }

    private Container? Serving() => board.State.App is App.Serving { Container: { HostPort: not null } container } ? container : null;

    private static bool IsSame(Container one, Container other) => (one.Id, one.HostPort) == (other.Id, other.HostPort);

    /// <returns>False: the app did not answer, and nothing was sent to the visitor yet.</returns>
    private async Task<bool> ForwardAsync(HttpContext visit, Container container)
    {
        using var activity = visits.Activity.Watch(visit);
        var error = await forwarder.SendAsync(visit, $"http://127.0.0.1:{container.HostPort}", _app, Patience, SameHost.Instance);
        // By the status that the forwarder has set: it fails in many ways when the app goes, and the visitor's own faults have another one.
        return error == ForwarderError.None || visit.Response is not { HasStarted: false, StatusCode: StatusCodes.Status502BadGateway or StatusCodes.Status504GatewayTimeout };
    }

    /// <summary>Nothing of it has left, for there was no connection; or it only asks to be shown something, and may be asked twice.</summary>
    private static bool MayAskAgain(HttpContext visit) =>
        visit.GetForwarderErrorFeature()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } ||
        ((HttpMethods.IsGet(visit.Request.Method) || HttpMethods.IsHead(visit.Request.Method)) && visit.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false });

    /// <summary>A WebSocket: by an upgrade of HTTP/1.1, or an extended CONNECT of HTTP/2 (RFC 8441).</summary>
    private static bool IsUpgrade(HttpContext visit) =>
        visit.Request.Headers.Upgrade.Count > 0 || visit.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };
}

/// <summary>The app sees the host that the visitor asked for: Streamlit accepts a WebSocket only when its origin equals it.</summary>
internal sealed class SameHost : HttpTransformer
{
    public static SameHost Instance { get; } = new();

    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        proxyRequest.RequestUri = AsSent(httpContext, destinationPrefix);
        var forTheDoor = httpContext.Request.Headers.GetCommaSeparatedValues("Connection");
        foreach (var name in proxyRequest.Headers.Select(header => header.Key).Where(name => TellsOfTheVisitor(name) || IsForTheDoor(name, forTheDoor)).ToArray())
        {
            proxyRequest.Headers.Remove(name);
        }
        // After what was taken out. Without one, as from HTTP/1.0, the app's own address would be told, which is none of the visitor's business.
        proxyRequest.Headers.Host = httpContext.Request.Host is { HasValue: true, Value: var host } ? host : "localhost";
        Set(proxyRequest, "X-Forwarded-For", Address(httpContext.Connection.RemoteIpAddress));
        Set(proxyRequest, "X-Forwarded-Proto", httpContext.Request.Scheme);
        Set(proxyRequest, "X-Forwarded-Host", httpContext.Request.Host.Value);
    }

    /// <summary>The path and query as the visitor wrote them, <c>%2F</c>, <c>//</c> and <c>..</c> among it: what they mean is for the app to say.</summary>
    /// <returns>Null: it was no plain path; the forwarder makes one of it.</returns>
    private static Uri? AsSent(HttpContext visit, string destination) =>
        visit.Features.Get<IHttpRequestFeature>()?.RawTarget is ['/', ..] target && !target.AsSpan().ContainsAnyExceptInRange('!', '~') && !target.Contains('#', StringComparison.Ordinal)
            ? new Uri(destination + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })
            : null;

    /// <summary>What a visitor sent under these names is not believed.</summary>
    private static bool TellsOfTheVisitor(string header) =>
        header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase) || header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase) ||
        header.Equals("X-Real-IP", StringComparison.OrdinalIgnoreCase);

    /// <summary>What <c>Connection</c> names goes no further than here (RFC 9110, 7.6.1); the forwarder takes out those that are known by themselves, and puts in what a WebSocket needs. Beside <c>close</c> or <c>keep-alive</c> Kestrel keeps no name.</summary>
    private static bool IsForTheDoor(string header, string[] named) =>
        named.Contains(header, StringComparer.OrdinalIgnoreCase) && !header.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    /// <summary>The door listens for both families on one socket, where an IPv4 visitor has an IPv6 address.</summary>
    private static string? Address(IPAddress? visitor) => (visitor is { IsIPv4MappedToIPv6: true } ? visitor.MapToIPv4() : visitor)?.ToString();

    private static void Set(HttpRequestMessage request, string name, string? value) => request.Headers.TryAddWithoutValidation(name, value ?? "");
}
