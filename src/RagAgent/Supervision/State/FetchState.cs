using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The progress of fetching a value.</summary>
internal abstract record FetchState
{
    /// <summary>Nothing to do: the value is fresh enough.</summary>
    public sealed record Idle : FetchState;

    /// <summary>To be fetched as soon as possible.</summary>
    public sealed record Wanted(int Failures) : FetchState;

    /// <param name="Failures">Failed tries before this one.</param>
    /// <param name="Since">When this try began.</param>
    /// <param name="IsOutdated">A fresh value was requested since.</param>
    /// <param name="Problem">Why the try before this one failed.</param>
    public sealed record Running(int Failures, Moment Since, bool IsOutdated, Problem? Problem) : FetchState;

    public sealed record Waiting(int Failures, Problem Problem, Moment Until) : FetchState;
}
