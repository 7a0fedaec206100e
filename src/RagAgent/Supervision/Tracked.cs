namespace RagAgent.Supervision;

/// <summary>Something the agent needs from outside: the last value it got, and the work of getting the next one.</summary>
/// <remarks>The value outlives failures: what was learned stays good until something newer is learned.</remarks>
internal sealed record Tracked<T>(T? Value, Moment? ReadAt, Work Work)
    where T : class
{
    // Whoever asks for more patience than this is asked again all the same.
    private static readonly TimeSpan LongestWish = TimeSpan.FromMinutes(10);

    public static Tracked<T> Never { get; } = new(null, null, new Work.Wanted(0));

    /// <summary>Nothing is wanted yet.</summary>
    public static Tracked<T> Resting { get; } = new(null, null, new Work.Idle());

    public bool IsRunning => Work is Work.Running;

    /// <summary>Why the last try failed; stays until a later one succeeds or a fresh value is asked for.</summary>
    public Problem? Problem => Work switch
    {
        Work.Running r => r.Problem,
        Work.Waiting w => w.Problem,
        _ => null,
    };

    /// <summary>What is under way began before a fresh value was asked for: its answer may be older than that.</summary>
    public bool IsOutdated => Work is Work.Running { Again: true };

    public int Failures => Work switch
    {
        Work.Wanted w => w.Failures,
        Work.Running r => r.Failures,
        Work.Waiting w => w.Failures,
        _ => 0,
    };

    /// <summary>Asks for a fresh value: what is under way already began too early to count.</summary>
    public Tracked<T> Refresh() => this with { Work = Work is Work.Running r ? new Work.Running(0, r.Since, Again: true, null) : new Work.Wanted(0) };

    public bool IsDue(Moment now) => Work is Work.Wanted || (Work is Work.Waiting w && now >= w.Until);

    public Tracked<T> Begin(Moment now) => this with { Work = new Work.Running(Failures, now, Again: false, Problem) };

    public Tracked<T> Succeed(T value) => Work is Work.Running r
        ? new Tracked<T>(value, r.Since, r.Again ? new Work.Wanted(0) : new Work.Idle())
        : this;

    public Tracked<T> Fail(Problem problem, Moment now, Backoff backoff, double luck)
    {
        if (Work is not Work.Running r)
        {
            return this;
        }
        var delay = backoff.After(r.Failures + 1, luck);
        var asked = problem.RetryAfter is { } wish ? (wish < LongestWish ? wish : LongestWish) : TimeSpan.Zero;
        return this with { Work = r.Again ? new Work.Wanted(0) : new Work.Waiting(r.Failures + 1, problem, now + (asked > delay ? asked : delay)) };
    }

    /// <summary>The same source failed at something else: what is under way began too early to count, and the next try waits, the longer the more times in a row that has failed.</summary>
    public Tracked<T> FailElsewhere(Problem problem, Moment now, Backoff backoff, double luck, int times) => Work is Work.Running r
        ? this with { Work = new Work.Running(Math.Max(r.Failures + 1, times), r.Since, Again: true, problem) }
        : (this with { Work = new Work.Running(Math.Max(Failures, times - 1), now, Again: false, Problem) }).Fail(problem, now, backoff, luck);

    /// <summary>The value turned out to be wrong. What is under way stays under way: there is never a second beside it.</summary>
    public Tracked<T> Forget() => this with { Value = null, ReadAt = null, Work = IsRunning ? Work : new Work.Wanted(0) };
}

internal abstract record Work
{
    /// <summary>Nothing to do: the value is as fresh as it was asked for.</summary>
    public sealed record Idle : Work;

    /// <summary>To be done as soon as it can.</summary>
    public sealed record Wanted(int Failures) : Work;

    /// <param name="Failures">Tries that failed before this one.</param>
    /// <param name="Since">When this try began.</param>
    /// <param name="Again">Somebody asked for a fresh value since.</param>
    /// <param name="Problem">Why the try before this one failed.</param>
    public sealed record Running(int Failures, Moment Since, bool Again, Problem? Problem) : Work;

    public sealed record Waiting(int Failures, Problem Problem, Moment Until) : Work;
}
