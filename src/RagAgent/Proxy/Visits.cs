using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Counts what is on its way to each container, so that none is stopped under a visitor, and the sessions (WebSockets) that no update may cut.</summary>
internal sealed class Visits(TimeProvider time) : IDoor
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Container, bool AreSessions), Guests> _guests = [];
    private int _sessions;

    /// <summary>Called with the number of open sessions whenever it changes, the last number last. It must neither block nor come back.</summary>
    /// <remarks>An event, for who hears it depends by a long way on this.</remarks>
    public event Action<int>? SessionsChanged;

    /// <summary>Whether anybody is there at all.</summary>
    public VisitorActivity Activity { get; } = new(time);

    /// <summary>A visit begins; it ends when the result is disposed.</summary>
    /// <param name="container">Whom it is for.</param>
    /// <param name="isSession">It is a WebSocket: told to <see cref="SessionsChanged"/>.</param>
    public IDisposable Begin(Container container, bool isSession)
    {
        lock (_lock)
        {
            if (!_guests.TryGetValue((container.Id, isSession), out var guests))
            {
                _guests.Add((container.Id, isSession), guests = new Guests());
            }
            guests.Count++;
            CountSession(isSession, +1);
        }
        return new Visit(this, container.Id, isSession);
    }

    /// <inheritdoc/>
    /// <remarks>Who comes is still led to it, and counted, while the state on the board says that it serves: publish another one first.</remarks>
    public Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false), (container.Id, true)], atMost, stopping);

    /// <inheritdoc/>
    /// <remarks>As above.</remarks>
    public Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping) =>
        WaitAsync([(container.Id, false)], atMost, stopping);

    private async Task<int> WaitAsync((string Container, bool AreSessions)[] whom, TimeSpan atMost, CancellationToken stopping)
    {
        Task left;
        lock (_lock)
        {
            left = Task.WhenAll(Present().Select(guests => guests.AllLeft.Task));
        }
        try
        {
            await left.WaitAsync(atMost, time, stopping);
            return 0;
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                return Present().Sum(guests => guests.Count);
            }
        }

        IEnumerable<Guests> Present() => whom.Select(who => _guests.GetValueOrDefault(who)).OfType<Guests>();
    }

    private void End(string container, bool isSession)
    {
        lock (_lock)
        {
            var guests = _guests[(container, isSession)];
            if (--guests.Count == 0)
            {
                _guests.Remove((container, isSession));
                guests.AllLeft.SetResult();
            }
            CountSession(isSession, -1);
        }
    }

    /// <summary>Counted and told as one, so that the last number told is the last one counted.</summary>
    private void CountSession(bool isSession, int by)
    {
        if (isSession)
        {
            SessionsChanged?.Invoke(_sessions += by);
        }
    }

    /// <summary>Who is with one container, requests and sessions apart; there is none while nobody is.</summary>
    private sealed class Guests
    {
        public int Count { get; set; }
        public TaskCompletionSource AllLeft { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Visit(Visits visits, string container, bool isSession) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                visits.End(container, isSession);
            }
        }
    }
}
