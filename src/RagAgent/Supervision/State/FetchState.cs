using RagAgent.Common;

namespace RagAgent.Supervision.State;

internal abstract record FetchState
{
    /// <summary>Nothing to do: the value is as fresh as it was asked for.</summary>
    public sealed record Idle : FetchState;

    /// <summary>To be done as soon as it can.</summary>
    public sealed record Wanted(int Failures) : FetchState;

    /// <param name="Failures">Tries that failed before this one.</param>
    /// <param name="Since">When this try began.</param>
    /// <param name="IsOutdated">Somebody asked for a fresh value since.</param>
    /// <param name="Problem">Why the try before this one failed.</param>
    public sealed record Running(int Failures, Moment Since, bool IsOutdated, Problem? Problem) : FetchState;

    public sealed record Waiting(int Failures, Problem Problem, Moment Until) : FetchState;
}
