namespace RagAgent.Supervision.State;

/// <summary>Recent failures of the containers.</summary>
internal sealed record FailureHistory
{
    /// <summary>Crashes in a row; a long quiet run forgets them.</summary>
    public int Crashes { get; init; }

    /// <summary>Failures in a row of the candidate beside the front.</summary>
    public int OfCandidate { get; init; }

    /// <summary>The last failure of a container, kept for people until a later run has proven itself.</summary>
    public Failure? Last { get; init; }
}
