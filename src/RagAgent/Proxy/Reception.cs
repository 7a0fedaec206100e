using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using RagAgent.Diagnostics;
using RagAgent.Supervision;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy;

/// <summary>Brings a visitor to the app when it serves, and tells what is going on when it does not.</summary>
internal sealed class Reception(IHttpForwarder forwarder, Visits visits, StateBoard board, Policy policy) : IDisposable
{
    // Streamlit pings an idle WebSocket every 30 s; a slow answer of a model may take minutes.
    private static readonly ForwarderRequestConfig Patience = new() { ActivityTimeout = TimeSpan.FromMinutes(10) };

    private readonly HttpMessageInvoker _app = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
    });

    public async Task ReceiveAsync(HttpContext visit)
    {
        var mayTryAnother = true;
        while (Enter(visit) is var (container, stay))
        {
            using (stay)
            {
                if (await ForwardAsync(visit, container))
                {
                    return;
                }
            }
            mayTryAnother = mayTryAnother && WasNotReached(visit) && Serving() is { } now && !IsSame(now, container);
            if (!mayTryAnother)
            {
                await TellAsync(visit, board.State.App is App.Serving { Failures: 0 } ? "The app does not answer right now." : Headline.Of(board.State, policy));
                return;
            }
            mayTryAnother = false;
            visit.Response.StatusCode = StatusCodes.Status200OK;   // the forwarder leaves an answer alone that is there already
        }
        await TellAsync(visit, Headline.Of(board.State, policy));
    }

    public void Dispose() => _app.Dispose();

    /// <summary>Counts the visit with the container that serves; null when none does.</summary>
    private (Container Container, IDisposable Stay)? Enter(HttpContext visit)
    {
        while (Serving() is { } container)
        {
            var stay = visits.Begin(container, IsUpgrade(visit.Request));
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
        var error = await forwarder.SendAsync(visit, $"http://127.0.0.1:{container.HostPort}", _app, Patience, SameHost.Instance);
        // By the status that the forwarder has set: it fails in many ways when the app goes, and the visitor's own faults have another one.
        return error == ForwarderError.None || visit.Response is not { HasStarted: false, StatusCode: StatusCodes.Status502BadGateway or StatusCodes.Status504GatewayTimeout };
    }

    /// <summary>There was no connection, so that neither the request nor its body has left.</summary>
    private static bool WasNotReached(HttpContext visit) =>
        visit.GetForwarderErrorFeature()?.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError };

    private static bool IsUpgrade(HttpRequest request) => request.Headers.Upgrade.Count > 0;

    private static async Task TellAsync(HttpContext visit, string sentence)
    {
        const int comeBackAfter = 2;
        var response = visit.Response;
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.RetryAfter = $"{comeBackAfter}";
        response.Headers.CacheControl = "no-store";
        // Browsers come back by themselves.
        response.Headers["Refresh"] = $"{comeBackAfter}";
        await response.WriteAsync(sentence + "\n", visit.RequestAborted);
    }
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
