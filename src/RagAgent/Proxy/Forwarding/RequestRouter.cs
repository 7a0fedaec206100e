using Microsoft.AspNetCore.Http.Features;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Chooses the container that a request goes to, and counts it as in flight there.</summary>
/// <remarks>
/// That is the serving container. While another one drains, its pages still need what only it has: it gets the uploads of its sessions,
/// and is asked for files that the serving container doesn't have.
/// </remarks>
internal sealed class RequestRouter(StateFeed feed, InFlightRequests inFlight)
{
    private const string UploadPath = "/_stcore/upload_file/";

    /// <returns>Null if no container serves.</returns>
    public InFlightRequest? Begin(HttpContext context) => Begin(() => Destination(context), ProxyHandler.IsWebSocket(context));

    /// <summary>Asks the draining container for a file that the serving one doesn't have.</summary>
    /// <returns>Null if no container drains.</returns>
    public InFlightRequest? BeginAtDraining() => Begin(() => Draining, isSession: false);

    /// <summary>
    /// Whether to ask the draining container for a file that the serving one doesn't have. Only requests that can be sent twice qualify.
    /// </summary>
    public bool MayAskDraining(HttpContext context) =>
        Draining is not null && !ProxyHandler.IsWebSocket(context) &&
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) &&
        context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };

    private Container? Draining =>
        feed.State.Candidate is ContainerState.Draining { Container: { HostPort: not null } container } ? container : null;

    private Container? Serving =>
        feed.State.Front is ContainerState.Serving { UnreadySince: null, Container: { HostPort: not null } container } ? container : null;

    private Container? Destination(HttpContext context) =>
        Draining is { } draining && SessionOf(context.Request.Path) is { } session && inFlight.HasSession(draining, session)
            ? draining
            : Serving;

    /// <summary>The session that an upload belongs to; null: it is no upload. The app may live below a base path.</summary>
    private static string? SessionOf(PathString path)
    {
        if (path.Value is not { } value || value.IndexOf(UploadPath, StringComparison.Ordinal) is not (>= 0 and var start))
        {
            return null;
        }
        var session = value.AsSpan(start + UploadPath.Length);
        return session.IndexOf('/') is > 0 and var end ? session[..end].ToString() : null;
    }

    private InFlightRequest? Begin(Func<Container?> destination, bool isSession)
    {
        while (destination() is { } container)
        {
            var request = inFlight.Begin(container, isSession);
            // Checked again after counting: a drain that starts in between either sees this request, or this request sees the new state.
            if (destination() is { } current && IsSame(current, container))
            {
                return request;
            }
            request.Dispose();
        }
        return null;
    }

    private static bool IsSame(Container one, Container other) => (one.Id, one.HostPort) == (other.Id, other.HostPort);
}
