namespace LocalAws.Requests;

/// <summary>Records every request as soon as it is parsed, before the response.</summary>
public sealed class RequestLog(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly List<RecordedRequest> _requests = [];
    private TaskCompletionSource _changed = NewSignal();
    private long _lastNumber;

    /// <summary>A copy, in order of arrival.</summary>
    public IReadOnlyList<RecordedRequest> Snapshot()
    {
        lock (_lock)
        {
            return [.. _requests];
        }
    }

    public IReadOnlyList<RecordedRequest> ByOperation(string operation) => [.. Snapshot().Where(r => r.Operation == operation)];

    public int Count(string operation) => ByOperation(operation).Count;

    /// <summary>Removes all recorded requests. A request that is still running is not recorded again when it ends.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _requests.Clear();
        }
    }

    /// <summary>Completes when a matching request has been recorded or answered.</summary>
    public async Task<RecordedRequest> WaitForAsync(Func<RecordedRequest, bool> predicate, CancellationToken stopping)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_requests.FirstOrDefault(predicate) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }
            await changed.WaitAsync(stopping);
        }
    }

    internal long Record(string operation, string service, string resource, string? principal, HttpRequest request)
    {
        lock (_lock)
        {
            _requests.Add(new RecordedRequest(++_lastNumber, clock.GetUtcNow(), operation, service, request.Method, resource, principal,
                request.Headers.UserAgent.ToString(), null));
            SignalLocked();
            return _lastNumber;
        }
    }

    internal void Complete(long number, int status)
    {
        lock (_lock)
        {
            var at = _requests.FindIndex(r => r.Number == number);
            if (at < 0 || _requests[at].Status is not null)
            {
                return;
            }

            _requests[at] = _requests[at] with { Status = status };
            SignalLocked();
        }
    }

    private void SignalLocked()
    {
        _changed.SetResult();
        _changed = NewSignal();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
