using RagAgent.Common;

namespace RagAgent.Containers.AppLogs;

/// <summary>
/// Follows one container's log until the container is removed. Opens it at the saved position, and again after it ends or breaks.
/// </summary>
internal sealed class LogFollower(LogWriter writer, EngineLogClient logs, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan InitialDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(10);

    // An engine may not close the stream of a container that has ended. Then it is opened once more.
    private static readonly TimeSpan StreamEndTimeout = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RemovalTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _removed = new(Timeout.InfiniteTimeSpan, time);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LinkedTimeout? _streamTimeout;
    private Phase _phase = Phase.WaitingForSecrets;
    private string? _currentRun;
    private string? _completedRun;
    private bool _isAlive;
    private bool _removalReported;

    private enum Phase
    {
        /// <summary>The agent hasn't read the container's secrets yet.</summary>
        WaitingForSecrets,
        Following,
        Ended,
    }

    /// <summary>Takes the container's status from an inspection.</summary>
    /// <param name="run">The start time, which identifies the run.</param>
    /// <param name="isAlive">Whether the container has a process.</param>
    public void ReportRun(string run, bool isAlive) => ChangeState(() => (_currentRun, _isAlive) = (run, isAlive));

    /// <summary>The container has been removed: writes what is still arriving, then ends.</summary>
    /// <remarks>
    /// Called after every inspection, but only the first call counts. Otherwise frequent inspections would postpone the end forever.
    /// </remarks>
    public void ReportRemoved()
    {
        ChangeState(() => _isAlive = false);
        if (!Interlocked.Exchange(ref _removalReported, true))
        {
            _removed.CancelAfter(_phase == Phase.Following ? RemovalTimeout : TimeSpan.Zero);
        }
    }

    /// <summary>The run has ended: waits until its last lines are written, at most for <paramref name="timeout"/>.</summary>
    public async Task FlushAsync(TimeSpan timeout, CancellationToken stopping)
    {
        ChangeState(() => _isAlive = false);
        try
        {
            await WaitUntilAsync(() => _phase == Phase.Ended || _currentRun is null || _completedRun == _currentRun, stopping)
                .WaitAsync(timeout, time, stopping);
        }
        catch (TimeoutException)
        {
            return;   // following continues until the container is removed
        }
    }

    /// <param name="waitForSecrets">Nothing is written before it completes.</param>
    /// <param name="stopping">The agent is stopping.</param>
    public async Task RunAsync(Func<CancellationToken, Task> waitForSecrets, CancellationToken stopping)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, _removed.Token);
        try
        {
            await waitForSecrets(linked.Token);
            ChangeState(() => _phase = Phase.Following);
            await FollowAsync(linked.Token);
        }
        catch (OperationCanceledException) when (linked.IsCancellationRequested)
        {
            if (!stopping.IsCancellationRequested && _phase == Phase.WaitingForSecrets)
            {
                logger.AppLogWithheld(writer.Container);
            }
        }
        finally
        {
            writer.ReportDropped();
            ChangeState(() => _phase = Phase.Ended);
        }
    }

    public void Dispose() => _removed.Dispose();

    /// <summary>Completes with the next change of state.</summary>
    private Task NextChange
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        var delay = InitialDelay;
        while (true)
        {
            await WaitUntilAsync(() => _currentRun is not null && (_isAlive || _completedRun != _currentRun), stopping);
            var nextChange = NextChange;
            try
            {
                if (await ReadStreamAsync(stopping))
                {
                    delay = InitialDelay;
                }
            }
            catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
            {
                return;
            }
            catch (Exception exception) when (exception is ProblemException or IOException or HttpRequestException)
            {
                // Inspections report what is wrong with the engine.
                logger.AppLogInterrupted(writer.Container, ExceptionMapping.ToProblem(exception));
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.AppLogFailed(writer.Container, ExceptionMapping.ToProblem(exception));
                delay = MaxDelay;
            }
            await WaitForChangeAsync(nextChange, delay, stopping);
            delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
        }
    }

    /// <returns>Whether anything was received.</returns>
    private async Task<bool> ReadStreamAsync(CancellationToken stopping)
    {
        using var streamTimeout = new LinkedTimeout(Timeout.InfiniteTimeSpan, time, stopping);
        string? run;
        bool isAlive;
        lock (_lock)
        {
            (run, isAlive) = (_currentRun, _isAlive);
            _streamTimeout = isAlive ? streamTimeout : null;
        }
        var received = false;
        try
        {
            await using var stream = await logs.OpenAsync(writer.Container.Id, writer.Position.Since, streamTimeout.Token);
            var processor = writer.StartStream();
            while (await ReadNextAsync(stream, processor, streamTimeout) is var length and > 0)
            {
                received = true;
                processor.Process(length);
            }
            // Only a stream that was opened after the container ended is known to be complete.
            if (!isAlive)
            {
                processor.Complete();
                ChangeState(() => _completedRun = run);
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return received;   // the container has ended but the stream has not, or the stream is stale
        }
        finally
        {
            lock (_lock)
            {
                _streamTimeout = null;
            }
        }
        return received;
    }

    /// <summary>Waits until bytes arrive and meanwhile flushes what is due. A silent app costs nothing.</summary>
    private async Task<int> ReadNextAsync(Stream stream, LogStreamProcessor processor, LinkedTimeout streamTimeout)
    {
        var next = stream.ReadAsync(processor.FreeBuffer, streamTimeout.Token);
        if (next.IsCompleted || processor.TimeUntilDue() is null)
        {
            return await next;
        }
        var read = next.AsTask();
        while (!read.IsCompleted && processor.TimeUntilDue() is { } due)
        {
            await ((Task)read).WaitAsync(due, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!read.IsCompleted)
            {
                processor.FlushDue();
            }
            if (!read.IsCompleted && processor.IsStale)
            {
                await streamTimeout.ExpireAsync();
            }
        }
        return await read;
    }

    /// <summary>Waits for the delay, or until the container's state changes.</summary>
    private async Task WaitForChangeAsync(Task nextChange, TimeSpan delay, CancellationToken stopping)
    {
        try
        {
            await nextChange.WaitAsync(delay, time, stopping);
        }
        catch (TimeoutException)
        {
            return;
        }
    }

    private async Task WaitUntilAsync(Func<bool> condition, CancellationToken stopping)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (condition())
                {
                    return;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(stopping);
        }
    }

    private void ChangeState(Action action)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            var previous = (_currentRun, _isAlive, _phase, _completedRun);
            action();
            if (previous == (_currentRun, _isAlive, _phase, _completedRun))
            {
                return;
            }
            if (!_isAlive)
            {
                _streamTimeout?.Restart(StreamEndTimeout);
            }
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }
}
