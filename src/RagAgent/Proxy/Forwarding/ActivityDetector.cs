using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Tells that somebody uses the app: by a request that the app answers, or by what he says through an open WebSocket.</summary>
/// <remarks>
/// A tab that is left open says nothing: its browser answers the app's pings, and asks by itself how the app is when the connection was lost. What the app or the agent refuses
/// is no use of it, and keeps nobody's machine running.
/// </remarks>
internal sealed class ActivityDetector(TimeProvider time)
{
    // A request that goes on for long, an upload or a download, is a use of the app as long as it does.
    private static readonly TimeSpan LongRequestInterval = TimeSpan.FromSeconds(5);

    /// <summary>The agent's own addresses.</summary>
    private const string AgentPath = "/_ragagent";

    /// <summary>What Streamlit's page asks for by itself until its connection is back, and what monitors ask for. The app may live below a path of its own.</summary>
    private static readonly string[] PollPaths = ["/_stcore/health", "/_stcore/host-config", "/_stcore/script-health-check", "/healthz"];

    private Action? _onActivity;
    private long _minInterval;
    private long _nextReport = long.MinValue;

    /// <summary>From now on activity is told; until then nobody looks for it.</summary>
    /// <param name="onActivity">Must neither block nor throw.</param>
    /// <param name="minInterval">At most once in this time: the first of them at once.</param>
    public void Subscribe(Action onActivity, TimeSpan minInterval)
    {
        _minInterval = (long)(minInterval.TotalSeconds * time.TimestampFrequency);
        _onActivity = onActivity;
    }

    /// <summary>Looks at a visit that is about to be forwarded.</summary>
    /// <returns>Ends the visit when it is disposed; null: there is nothing to end.</returns>
    public IDisposable? Track(HttpContext context)
    {
        if (_onActivity is null || IsPoll(context.Request.Path))
        {
            return null;
        }
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            context.Features.Set<IHttpExtendedConnectFeature>(new WebSocketActivityStream.ExtendedConnectFeature(connect, Report));
            return null;
        }
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade && IsWebSocket(context.Request))
        {
            context.Features.Set<IHttpUpgradeFeature>(new WebSocketActivityStream.UpgradeFeature(upgrade, Report));
            return null;
        }
        return new TrackedRequest(this, context, time);
    }

    private static bool IsPoll(PathString path) =>
        path.StartsWithSegments(AgentPath) || (path.Value is { } requestPath && PollPaths.Any(poll => requestPath.EndsWith(poll, StringComparison.Ordinal)));

    private static bool IsWebSocket(HttpRequest request) => request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    private void Report()
    {
        var now = time.GetTimestamp();
        var next = Volatile.Read(ref _nextReport);
        if (now >= next && Interlocked.CompareExchange(ref _nextReport, now + _minInterval, next) == next)
        {
            _onActivity?.Invoke();
        }
    }

    private sealed class TrackedRequest : IDisposable
    {
        private readonly ActivityDetector _detector;
        private readonly HttpContext _context;
        private readonly ITimer _timer;

        public TrackedRequest(ActivityDetector detector, HttpContext context, TimeProvider time)
        {
            (_detector, _context) = (detector, context);
            _timer = time.CreateTimer(static state => ((ActivityDetector)state!).Report(), detector, LongRequestInterval, LongRequestInterval);
        }

        public void Dispose()
        {
            _timer.Dispose();
            if (_context.Response.StatusCode < StatusCodes.Status400BadRequest)
            {
                _detector.Report();
            }
        }
    }
}
