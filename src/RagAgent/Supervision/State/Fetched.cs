using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>Something the agent needs from outside: the last value it got, and the work of getting the next one.</summary>
/// <remarks>The value outlives failures: what was learned stays good until something newer is learned.</remarks>
internal sealed record Fetched<T>(T? Value, Moment? ReadAt, FetchState State)
    where T : class
{
    // Whoever asks for more patience than this is asked again all the same.
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(10);

    public static Fetched<T> Wanted { get; } = new(null, null, new FetchState.Wanted(0));

    /// <summary>Nothing is wanted yet.</summary>
    public static Fetched<T> Idle { get; } = new(null, null, new FetchState.Idle());

    public bool IsRunning => State is FetchState.Running;

    /// <summary>Why the last try failed; stays until a later one succeeds or a fresh value is asked for.</summary>
    public Problem? Problem => State switch
    {
        FetchState.Running r => r.Problem,
        FetchState.Waiting w => w.Problem,
        _ => null,
    };

    /// <summary>What is under way began before a fresh value was asked for: its answer may be older than that.</summary>
    public bool IsOutdated => State is FetchState.Running { IsOutdated: true };

    public int Failures => State switch
    {
        FetchState.Wanted w => w.Failures,
        FetchState.Running r => r.Failures,
        FetchState.Waiting w => w.Failures,
        _ => 0,
    };

    /// <summary>Asks for a fresh value: what is under way already began too early to count.</summary>
    public Fetched<T> Refresh() => this with { State = State is FetchState.Running running ? new FetchState.Running(0, running.Since, IsOutdated: true, null) : new FetchState.Wanted(0) };

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
        var delay = backoff.After(running.Failures + 1, jitter);
        var asked = problem.RetryAfter is { } wish ? (wish < MaxRetryAfter ? wish : MaxRetryAfter) : TimeSpan.Zero;
        return this with { State = running.IsOutdated ? new FetchState.Wanted(0) : new FetchState.Waiting(running.Failures + 1, problem, now + (asked > delay ? asked : delay)) };
    }

    /// <summary>The same source failed at something else: what is under way began too early to count, and the next try waits, the longer the more times in a row that has failed.</summary>
    public Fetched<T> FailIndirectly(Problem problem, Moment now, Backoff backoff, double jitter, int times) => State is FetchState.Running running
        ? this with { State = new FetchState.Running(Math.Max(running.Failures + 1, times), running.Since, IsOutdated: true, problem) }
        : (this with { State = new FetchState.Running(Math.Max(Failures, times - 1), now, IsOutdated: false, Problem) }).Fail(problem, now, backoff, jitter);

    /// <summary>The value turned out to be wrong. What is under way stays under way: there is never a second beside it.</summary>
    public Fetched<T> Forget() => this with { Value = null, ReadAt = null, State = IsRunning ? State : new FetchState.Wanted(0) };
}
