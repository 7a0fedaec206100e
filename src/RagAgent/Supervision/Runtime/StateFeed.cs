using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Publishes the newest state to its readers: the front door, the status and the commands.</summary>
internal sealed class StateFeed
{
    private readonly Lock _lock = new();
    private (long Revision, AgentState State) _current = (0, new AgentState());
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AgentState State => Read().State;

    public (long Revision, AgentState State) Read()
    {
        lock (_lock)
        {
            return _current;
        }
    }

    public void Publish(AgentState state) => Publish(_ => state);

    /// <summary>Something that is reported along with the state has changed: wakes everyone who waits for a change.</summary>
    public void Touch() => Publish(state => state);

    private void Publish(Func<AgentState, AgentState> next)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _current = (_current.Revision + 1, next(_current.State));
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }

    /// <summary>Returns the first state whose revision is not <paramref name="seen"/>: at once if there already is one.</summary>
    public async Task<(long Revision, AgentState State)> WaitAsync(long seen, CancellationToken stopping)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_current.Revision != seen)
                {
                    return _current;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(stopping);
        }
    }
}
