using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Counts what is on its way to each container, so that none is stopped under a visitor, and the sessions (WebSockets) that no update may cut.</summary>
internal sealed class InFlightRequests(TimeProvider time) : IConnectionDrain
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Container, bool AreSessions), InFlightCounter> _counters = [];
    private int _sessions;

    /// <summary>Called with the number of open sessions whenever it changes, the last number last. It must neither block nor come back.</summary>
    /// <remarks>An event, for who hears it depends by a long way on this.</remarks>
    public event Action<int>? SessionsChanged;

    /// <summary>Whether anybody is there at all.</summary>
    public ActivityDetector Activity { get; } = new(time);

    /// <summary>A visit begins; it ends when the result is disposed.</summary>
    /// <param name="container">Whom it is for.</param>
    /// <param name="isSession">It is a WebSocket: told to <see cref="SessionsChanged"/>.</param>
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
    /// <remarks>Who comes is still led to it, and counted, while the state on the board says that it serves: publish another one first.</remarks>
    public Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false), (container.Id, true)], atMost, stopping);

    /// <inheritdoc/>
    /// <remarks>As above.</remarks>
    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false)], atMost, stopping);

    private async Task<int> WaitAsync((string Container, bool AreSessions)[] keys, TimeSpan atMost, CancellationToken stopping)
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

    /// <summary>Counted and told as one, so that the last number told is the last one counted.</summary>
    private void CountSession(bool isSession, int delta)
    {
        if (isSession)
        {
            SessionsChanged?.Invoke(_sessions += delta);
        }
    }

    /// <summary>Who is with one container, requests and sessions apart; there is none while nobody is.</summary>
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
