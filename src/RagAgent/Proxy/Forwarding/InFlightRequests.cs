using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Knows the requests and sessions (WebSockets) in flight to each container,
/// so that no container stops under a request and no update cuts a session that is in use.
/// </summary>
internal sealed class InFlightRequests(AgentClock clock, Policy policy)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Container, bool IsSession), InFlightCounter> _counters = [];
    private readonly List<OpenSession> _sessions = [];
    private Moment _lastReport;
    private volatile bool _isReportDue;

    /// <summary>
    /// Raised in order: at once when a session begins, ends or comes into use, and while it is used at most once in
    /// <see cref="Policy.SessionReportInterval"/>. Handlers must neither block nor call this object.
    /// </summary>
    /// <remarks>An event, because the supervision that handles it depends on this object.</remarks>
    public event Action<OpenSessions>? SessionsChanged;

    public ActivityDetector Activity { get; } = new(clock.Time);

    /// <summary>The sessions that are open now, or about to be.</summary>
    public OpenSession[] Sessions
    {
        get
        {
            lock (_lock)
            {
                return [.. _sessions];
            }
        }
    }

    /// <summary>Counts a request until the result is disposed.</summary>
    /// <param name="container">Where the request is forwarded to.</param>
    /// <param name="isSession">Whether it is a WebSocket.</param>
    public InFlightRequest Begin(Container container, bool isSession)
    {
        var session = isSession ? new OpenSession(container, new SessionTracker(clock, SessionUsed, SessionReadabilityChanged)) : null;
        lock (_lock)
        {
            if (!_counters.TryGetValue((container.Id, isSession), out var counter))
            {
                _counters.Add((container.Id, isSession), counter = new InFlightCounter());
            }
            counter.Count++;
            if (session is not null)
            {
                _sessions.Add(session);
                ReportSessions();
            }
        }
        return new InFlightRequest(this, container, session);
    }

    /// <summary>Whether the container has an open session with this ID.</summary>
    public bool HasSession(Container container, string id)
    {
        lock (_lock)
        {
            return _sessions.Exists(session => session.Container.Id == container.Id && session.Tracker.SessionId == id);
        }
    }

    /// <summary>Waits until the container has no requests and sessions in flight, at most for the given time.</summary>
    /// <remarks>New requests keep coming while the published state says that the container serves. Publish another one first.</remarks>
    /// <returns>How many were left when the time was up; 0: none.</returns>
    public Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false), (container.Id, true)], atMost, stopping);

    /// <summary>Waits as <see cref="DrainAsync"/>, but not for sessions.</summary>
    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false)], atMost, stopping);

    private async Task<int> WaitAsync((string Container, bool IsSession)[] keys, TimeSpan atMost, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(atMost, clock.Time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        while (true)
        {
            InFlightCounter[] left;
            lock (_lock)
            {
                left = [.. keys.Select(key => _counters.GetValueOrDefault(key)).OfType<InFlightCounter>()];
            }
            if (left.Length == 0)
            {
                return 0;
            }
            try
            {
                // A draining container can get new requests meanwhile.
                await Task.WhenAll(left.Select(counter => counter.Drained.Task)).WaitAsync(ended.Token);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                return left.Sum(counter => counter.Count);
            }
        }
    }

    /// <summary>Called once by the request.</summary>
    public void End(InFlightRequest request)
    {
        lock (_lock)
        {
            var key = (request.Container.Id, request.Session is not null);
            var counter = _counters[key];
            if (--counter.Count == 0)
            {
                _counters.Remove(key);
                counter.Drained.SetResult();
            }
            if (request.Session is { } session)
            {
                _sessions.Remove(session);
                ReportSessions();
            }
        }
    }

    /// <param name="before">When that session was used the last time before.</param>
    private void SessionUsed(Moment before)
    {
        Activity.Report();
        if (_isReportDue && clock.Now - before < policy.IdleAfter)
        {
            return;
        }
        lock (_lock)
        {
            var wait = _lastReport + policy.SessionReportInterval - clock.Now;
            if (wait <= TimeSpan.Zero || clock.Now - before >= policy.IdleAfter)
            {
                ReportSessions();
            }
            else if (!_isReportDue)
            {
                _isReportDue = true;
                _ = ReportLaterAsync(wait);
            }
        }
    }

    private async Task ReportLaterAsync(TimeSpan wait)
    {
        await Task.Delay(wait, clock.Time);
        lock (_lock)
        {
            if (_isReportDue)
            {
                ReportSessions();
            }
        }
    }

    private void SessionReadabilityChanged()
    {
        lock (_lock)
        {
            ReportSessions();
        }
    }

    /// <summary>Called under the lock, so that the reports are in order.</summary>
    private void ReportSessions()
    {
        (_lastReport, _isReportDue) = (clock.Now, false);
        var trackers = _sessions.Select(session => session.Tracker);
        Moment[] readable = [.. trackers.Where(tracker => !tracker.IsOpaque).Select(tracker => tracker.LastActivity)];
        SessionsChanged?.Invoke(new OpenSessions(_sessions.Count - readable.Length, [.. readable]));
    }

    /// <summary>Exists while its count is above zero.</summary>
    private sealed class InFlightCounter
    {
        public int Count { get; set; }
        public TaskCompletionSource Drained { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
