using System.Text;
using Microsoft.Extensions.Logging;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Containers;

/// <summary>Follows one container's log until the container is gone: opens it at its place, again when it ends or breaks.</summary>
internal sealed class LogFollower(LogWriter writer, EngineLogs logs, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    // An engine may forget to end the stream of a container that has ended: then it is opened once more.
    private static readonly TimeSpan EndOfStream = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ToTheEnd = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _gone = new(Timeout.InfiniteTimeSpan, time);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _stream;
    private Phase _phase = Phase.Waiting;
    private string? _run;
    private string? _readRun;
    private bool _alive;
    private bool _left;

    private enum Phase
    {
        /// <summary>The secrets that it was given are not held yet.</summary>
        Waiting,
        Following,
        Ended,
    }

    /// <summary>What the engine told of it. A run is named by its start.</summary>
    public void See(string run, bool alive) => Change(() => (_run, _alive) = (run, alive));

    /// <summary>It has been removed: what is still on its way is written, and that is all.</summary>
    /// <remarks>Told at every look at the engine, but only the first time counts: else an engine that is looked at often enough would keep it here for ever.</remarks>
    public void Leave()
    {
        Change(() => _alive = false);
        if (!Interlocked.Exchange(ref _left, true))
        {
            _gone.CancelAfter(_phase == Phase.Following ? ToTheEnd : TimeSpan.Zero);
        }
    }

    /// <summary>Its run has ended: returns when its last words are written, at the latest after <paramref name="atMost"/>.</summary>
    public async Task DrainAsync(TimeSpan atMost, CancellationToken stopping)
    {
        Change(() => _alive = false);
        try
        {
            await WaitUntilAsync(() => _phase == Phase.Ended || _run is null || _readRun == _run, stopping).WaitAsync(atMost, time, stopping);
        }
        catch (TimeoutException)
        {
            return;   // it goes on while the container stands
        }
    }

    /// <param name="secretsHeld">Before it nothing is written.</param>
    /// <param name="stopping">The agent's end.</param>
    public async Task RunAsync(Func<CancellationToken, Task> secretsHeld, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, _gone.Token);
        try
        {
            await secretsHeld(end.Token);
            Change(() => _phase = Phase.Following);
            await FollowAsync(end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            if (!stopping.IsCancellationRequested && _phase == Phase.Waiting)
            {
                logger.AppLogUnwritten(writer.Container);
            }
        }
        finally
        {
            writer.TellLeftOut();
            Change(() => _phase = Phase.Ended);
        }
    }

    public void Dispose() => _gone.Dispose();

    /// <summary>Ends with the next change.</summary>
    private Task News
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
        var delay = FirstDelay;
        while (true)
        {
            await WaitUntilAsync(() => _run is not null && (_alive || _readRun != _run), stopping);
            var news = News;
            try
            {
                if (await ReadAsync(stopping))
                {
                    delay = FirstDelay;
                }
            }
            catch (ProblemException e) when (EngineProblems.IsGone(e))
            {
                return;
            }
            catch (Exception e) when (e is ProblemException or IOException or HttpRequestException)
            {
                // The supervision says what is wrong with the engine, in one voice.
                logger.AppLogBroke(writer.Container, Problems.From(e));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.AppLogStumbled(writer.Container, Problems.From(e));
                delay = LongestDelay;
            }
            await PauseAsync(news, delay, stopping);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <returns>Whether anything came.</returns>
    private async Task<bool> ReadAsync(CancellationToken stopping)
    {
        using var own = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stopping, own.Token);
        string? run;
        bool alive;
        lock (_lock)
        {
            (run, alive) = (_run, _alive);
            _stream = alive ? own : null;
        }
        var came = false;
        try
        {
            await using var stream = await logs.OpenAsync(writer.Container.Id, writer.Place.Since, reading.Token);
            var session = writer.Begin();
            while (await NextAsync(stream, session, own, reading.Token) is var length and > 0)
            {
                came = true;
                session.Take(length);
            }
            // Only a stream that was opened after the end is known to hold all of it.
            if (!alive)
            {
                session.End();
                Change(() => _readRun = run);
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return came;   // its container has ended and the stream did not, or the stream has gone deaf
        }
        finally
        {
            lock (_lock)
            {
                _stream = null;
            }
        }
        return came;
    }

    /// <summary>Blocks until something comes, or something held back is due: an app that is silent costs nothing.</summary>
    private async Task<int> NextAsync(Stream stream, LogSession session, CancellationTokenSource own, CancellationToken stopping)
    {
        var next = stream.ReadAsync(session.Free, stopping);
        if (next.IsCompleted || session.DueIn() is null)
        {
            return await next;
        }
        var read = next.AsTask();
        while (!read.IsCompleted && session.DueIn() is { } due)
        {
            await ((Task)read).WaitAsync(due, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!read.IsCompleted)
            {
                session.GiveDue();
            }
            if (!read.IsCompleted && session.IsStale)
            {
                await own.CancelAsync();
            }
        }
        return await read;
    }

    /// <summary>Not at all when there was news of the container since, and cut short by it.</summary>
    private async Task PauseAsync(Task news, TimeSpan delay, CancellationToken stopping)
    {
        try
        {
            await news.WaitAsync(delay, time, stopping);
        }
        catch (TimeoutException)
        {
            return;
        }
    }

    private async Task WaitUntilAsync(Func<bool> holds, CancellationToken stopping)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (holds())
                {
                    return;
                }
                changed = _changed.Task;
            }
            await changed.WaitAsync(stopping);
        }
    }

    private void Change(Action what)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            var before = (_run, _alive, _phase, _readRun);
            what();
            if (before == (_run, _alive, _phase, _readRun))
            {
                return;
            }
            if (!_alive)
            {
                _stream?.CancelAfter(EndOfStream);
            }
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        changed.SetResult();
    }
}
