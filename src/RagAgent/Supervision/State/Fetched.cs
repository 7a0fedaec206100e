using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>Something the agent needs from outside: the last value, and the progress of fetching the next one.</summary>
/// <remarks>The value outlives failures: it stays valid until a newer one arrives.</remarks>
internal sealed record Fetched<T>(T? Value, Moment? ReadAt, FetchState State)
    where T : class
{
    // A server may ask for a longer wait than this, but does not get it.
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(10);

    public static Fetched<T> Wanted { get; } = new(null, null, new FetchState.Wanted(0));

    /// <summary>Nothing is wanted yet.</summary>
    public static Fetched<T> Idle { get; } = new(null, null, new FetchState.Idle());

    public bool IsRunning => State is FetchState.Running;

    /// <summary>Why the last try failed; null after a success, or once a fresh value is requested.</summary>
    public Problem? Problem => State switch
    {
        FetchState.Running running => running.Problem,
        FetchState.Waiting waiting => waiting.Problem,
        _ => null,
    };

    /// <summary>The try in progress began before a fresh value was requested, so its result may be outdated.</summary>
    public bool IsOutdated => State is FetchState.Running { IsOutdated: true };

    public int Failures => State switch
    {
        FetchState.Wanted wanted => wanted.Failures,
        FetchState.Running running => running.Failures,
        FetchState.Waiting waiting => waiting.Failures,
        _ => 0,
    };

    /// <summary>Requests a fresh value. A try in progress began too early to count.</summary>
    public Fetched<T> Refresh() => this with
    {
        State = State is FetchState.Running running
            ? new FetchState.Running(0, running.Since, IsOutdated: true, null)
            : new FetchState.Wanted(0),
    };

    public bool IsDue(Moment now) => State is FetchState.Wanted || (State is FetchState.Waiting waiting && now >= waiting.Until);

    public Fetched<T> Begin(Moment now) => this with { State = new FetchState.Running(Failures, now, IsOutdated: false, Problem) };

    public Fetched<T> Succeed(T value) => State is FetchState.Running running
        ? new Fetched<T>(value, running.Since, running.IsOutdated ? new FetchState.Wanted(0) : new FetchState.Idle())
        : this;

    public Fetched<T> Fail(Problem problem, Moment now, Backoff backoff, double jitter)
    {
        if (State is not FetchState.Running running)
        {
            return this;
        }
        if (running.IsOutdated)
        {
            return this with { State = new FetchState.Wanted(0) };
        }
        var failures = running.Failures + 1;
        var delay = backoff.After(failures, jitter);
        var retryAfter = problem.RetryAfter ?? TimeSpan.Zero;
        var requested = retryAfter < MaxRetryAfter ? retryAfter : MaxRetryAfter;
        return this with { State = new FetchState.Waiting(failures, problem, now + (requested > delay ? requested : delay)) };
    }

    /// <summary>
    /// The same source failed at something else. A try in progress began too early to count, and the next one waits for a backoff.
    /// </summary>
    /// <param name="problem">What failed.</param>
    /// <param name="now">The moment of the failure.</param>
    /// <param name="backoff">The delays.</param>
    /// <param name="jitter">From 0 to 1.</param>
    /// <param name="times">How often that has failed in a row, at least 1. The delay is at least as long as after that many
    /// failures.</param>
    public Fetched<T> FailIndirectly(Problem problem, Moment now, Backoff backoff, double jitter, int times)
    {
        if (State is FetchState.Running running)
        {
            var failures = Math.Max(running.Failures + 1, times);
            return this with { State = new FetchState.Running(failures, running.Since, IsOutdated: true, problem) };
        }
        var begun = this with { State = new FetchState.Running(Math.Max(Failures, times - 1), now, IsOutdated: false, Problem) };
        return begun.Fail(problem, now, backoff, jitter);
    }

    /// <summary>The value turned out to be wrong. A try in progress continues: there are never two at once.</summary>
    public Fetched<T> Forget() => this with { Value = null, ReadAt = null, State = IsRunning ? State : new FetchState.Wanted(0) };
}
