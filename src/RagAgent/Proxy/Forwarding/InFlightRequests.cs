using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Counts the requests and sessions (WebSockets) in flight to each container,
/// so that no container stops under a request and no update cuts a session.
/// </summary>
internal sealed class InFlightRequests(TimeProvider time) : IConnectionDrain
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Container, bool IsSession), InFlightCounter> _counters = [];
    private int _sessions;

    /// <summary>Raised in order with the number of open sessions. Handlers must neither block nor call this object.</summary>
    /// <remarks>An event, because the supervision that handles it depends on this object.</remarks>
    public event Action<int>? SessionsChanged;

    public ActivityDetector Activity { get; } = new(time);

    /// <summary>Counts a request until the result is disposed.</summary>
    /// <param name="container">Where the request is forwarded to.</param>
    /// <param name="isSession">Whether it is a WebSocket.</param>
    public IDisposable Begin(Container container, bool isSession)
    {
        lock (_lock)
        {
            if (!_counters.TryGetValue((container.Id, isSession), out var counter))
            {
                _counters.Add((container.Id, isSession), counter = new InFlightCounter());
            }
            counter.Count++;
            CountSession(isSession, +1);
        }
        return new InFlightRequest(this, container.Id, isSession);
    }

    /// <inheritdoc/>
    /// <remarks>New requests keep coming while the published state says that the container serves. Publish another one first.</remarks>
    public Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false), (container.Id, true)], atMost, stopping);

    /// <inheritdoc/>
    /// <remarks>See <see cref="DrainAsync"/>.</remarks>
    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false)], atMost, stopping);

    private async Task<int> WaitAsync((string Container, bool IsSession)[] keys, TimeSpan atMost, CancellationToken stopping)
    {
        Task drained;
        lock (_lock)
        {
            drained = Task.WhenAll(Present().Select(counter => counter.Drained.Task));
        }
        try
        {
            await drained.WaitAsync(atMost, time, stopping);
            return 0;
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                return Present().Sum(counter => counter.Count);
            }
        }

        IEnumerable<InFlightCounter> Present() => keys.Select(key => _counters.GetValueOrDefault(key)).OfType<InFlightCounter>();
    }

    private void End(string container, bool isSession)
    {
        lock (_lock)
        {
            var counter = _counters[(container, isSession)];
            if (--counter.Count == 0)
            {
                _counters.Remove((container, isSession));
                counter.Drained.SetResult();
            }
            CountSession(isSession, -1);
        }
    }

    /// <summary>Called under the lock, so that the numbers are reported in order.</summary>
    private void CountSession(bool isSession, int delta)
    {
        if (isSession)
        {
            SessionsChanged?.Invoke(_sessions += delta);
        }
    }

    /// <summary>Exists while its count is above zero.</summary>
    private sealed class InFlightCounter
    {
        public int Count { get; set; }
        public TaskCompletionSource Drained { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class InFlightRequest(InFlightRequests inFlight, string container, bool isSession) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                inFlight.End(container, isSession);
            }
        }
    }
}
