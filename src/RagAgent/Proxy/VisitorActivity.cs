using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy;

/// <summary>Tells that somebody uses the app: by a request that the app answers, or by what he says through an open WebSocket.</summary>
/// <remarks>
/// A tab that is left open says nothing: its browser answers the app's pings, and asks by itself how the app is when the connection was lost. What the app or the agent refuses
/// is no use of it, and keeps nobody's machine running.
/// </remarks>
internal sealed class VisitorActivity(TimeProvider time)
{
    // A request that goes on for long, an upload or a download, is a use of the app as long as it does.
    private static readonly TimeSpan LongRequestEvery = TimeSpan.FromSeconds(5);

    /// <summary>The agent's own addresses.</summary>
    private const string OfTheAgent = "/_ragagent";

    /// <summary>What Streamlit's page asks for by itself until its connection is back, and what monitors ask for. The app may live below a path of its own.</summary>
    private static readonly string[] Polls = ["/_stcore/health", "/_stcore/host-config", "/_stcore/script-health-check", "/healthz"];

    private Action? _happened;
    private long _toldEvery;
    private long _nextTold = long.MinValue;

    /// <summary>From now on activity is told; until then nobody looks for it.</summary>
    /// <param name="happened">Must neither block nor throw.</param>
    /// <param name="every">At most once in this time: the first of them at once.</param>
    public void Listen(Action happened, TimeSpan every)
    {
        _toldEvery = (long)(every.TotalSeconds * time.TimestampFrequency);
        _happened = happened;
    }

    /// <summary>Looks at a visit that is about to be forwarded.</summary>
    /// <returns>Ends the visit when it is disposed; null: there is nothing to end.</returns>
    public IDisposable? Watch(HttpContext visit)
    {
        if (_happened is null || IsPoll(visit.Request.Path))
        {
            return null;
        }
        if (visit.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            visit.Features.Set<IHttpExtendedConnectFeature>(new ClientFrames.Connect(connect, Happen));
            return null;
        }
        if (visit.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade && IsWebSocket(visit.Request))
        {
            visit.Features.Set<IHttpUpgradeFeature>(new ClientFrames.Upgrade(upgrade, Happen));
            return null;
        }
        return new Request(this, visit, time);
    }

    private static bool IsPoll(PathString path) =>
        path.StartsWithSegments(OfTheAgent) || (path.Value is { } asked && Polls.Any(poll => asked.EndsWith(poll, StringComparison.Ordinal)));

    private static bool IsWebSocket(HttpRequest request) => request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    private void Happen()
    {
        var now = time.GetTimestamp();
        var next = Volatile.Read(ref _nextTold);
        if (now >= next && Interlocked.CompareExchange(ref _nextTold, now + _toldEvery, next) == next)
        {
            _happened?.Invoke();
        }
    }

    private sealed class Request : IDisposable
    {
        private readonly VisitorActivity _activity;
        private readonly HttpContext _visit;
        private readonly ITimer _goesOn;

        public Request(VisitorActivity activity, HttpContext visit, TimeProvider time)
        {
            (_activity, _visit) = (activity, visit);
            _goesOn = time.CreateTimer(static state => ((VisitorActivity)state!).Happen(), activity, LongRequestEvery, LongRequestEvery);
        }

        public void Dispose()
        {
            _goesOn.Dispose();
            if (_visit.Response.StatusCode < StatusCodes.Status400BadRequest)
            {
                _activity.Happen();
            }
        }
    }
}
