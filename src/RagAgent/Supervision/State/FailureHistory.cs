namespace RagAgent.Supervision.State;

/// <summary>Recent failures of the containers.</summary>
internal sealed record FailureHistory
{
    /// <summary>Crashes in a row; a long healthy run clears them.</summary>
    public int Crashes { get; init; }

    /// <summary>Failures of the candidate in a row.</summary>
    public int OfCandidate { get; init; }

    /// <summary>The last failure of a container, kept for display until the crash count is cleared.</summary>
    public Failure? Last { get; init; }
}
