using RagAgent.Configuration;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Reports that a person uses the app: through a request that the app answers, or a <see cref="SessionTracker"/>.</summary>
/// <remarks>
/// A forgotten tab is no activity: its browser only answers the app's pings, and polls the app's health after the connection is lost.
/// Neither is a request that the app or the agent rejects: it must not keep the machine running.
/// </remarks>
internal sealed class ActivityDetector(TimeProvider time)
{
    // A long request, such as an upload or a download, counts as activity the whole time.
    private static readonly TimeSpan LongRequestInterval = TimeSpan.FromSeconds(5);

    // What Streamlit's page polls until its connection is back, and what monitors poll. The app may live below a base path.
    private static readonly string[] PollPaths =
        ["/_stcore/health", "/_stcore/host-config", "/_stcore/script-health-check", "/healthz"];

    private Action? _onActivity;
    private long _minInterval;
    private long _nextReport = long.MinValue;

    /// <summary>Starts the detection. Until then requests are not looked at.</summary>
    /// <param name="onActivity">Must neither block nor throw.</param>
    /// <param name="minInterval">The minimum time between two calls. The first activity is reported at once.</param>
    public void Subscribe(Action onActivity, TimeSpan minInterval)
    {
        _minInterval = (long)(minInterval.TotalSeconds * time.TimestampFrequency);
        _onActivity = onActivity;
    }

    /// <summary>Observes a request that is about to be forwarded, other than for a WebSocket.</summary>
    /// <returns>Dispose it when the request has ended. Null: there is nothing to dispose.</returns>
    public IDisposable? Track(HttpContext context)
    {
        if (_onActivity is null || IsPoll(context.Request.Path))
        {
            return null;
        }
        return new TrackedRequest(this, context, time);
    }

    private static bool IsPoll(PathString path) =>
        path.StartsWithSegments(ReservedUrlPaths.Prefix) ||
        (path.Value is { } requestPath && PollPaths.Any(poll => requestPath.EndsWith(poll, StringComparison.Ordinal)));

    /// <summary>Somebody uses the app.</summary>
    public void Report()
    {
        if (_onActivity is null)
        {
            return;
        }
        var now = time.GetTimestamp();
        var next = Volatile.Read(ref _nextReport);
        if (now >= next && Interlocked.CompareExchange(ref _nextReport, now + _minInterval, next) == next)
        {
            _onActivity.Invoke();
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
            _timer = time.CreateTimer(
                static state => ((ActivityDetector)state!).Report(), detector, LongRequestInterval, LongRequestInterval);
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
