using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Counts the sessions that visitors hold open (WebSockets), so that no update cuts one.</summary>
internal sealed class Visits(Supervisor supervisor)
{
    private readonly Lock _lock = new();
    private int _open;

    /// <summary>A session begins; it ends when the result is disposed.</summary>
    public IDisposable Begin()
    {
        Change(+1);
        return new Session(this);
    }

    /// <summary>Counted and told as one, so that the last number told is the last one counted.</summary>
    private void Change(int by)
    {
        lock (_lock)
        {
            var open = _open += by;
            supervisor.Post(at => new Event.SessionsChanged(at, open));
        }
    }

    private sealed class Session(Visits visits) : IDisposable
    {
        public void Dispose() => visits.Change(-1);
    }
}
