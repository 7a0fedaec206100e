using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>What is known about why containers ended: on their own, or because of the agent, a person or the engine.</summary>
internal sealed record AttributionEvidence
{
    /// <summary>The runs that the agent began or adopted, the newest first: at most two, and one more that it is stopping.</summary>
    public ImmutableArray<Run> Runs { get; init; } = [];

    /// <summary>The container that someone else asked the engine to stop; null: none.</summary>
    public string? ExternalStop { get; init; }

    /// <summary>The last end of the container in front; null once its cause does not matter any more.</summary>
    public UnrequestedEnd? LastEnd { get; init; }

    /// <summary>The last strike; null when it can't be reverted.</summary>
    public Strike? LastStrike { get; init; }

    /// <summary>Failed stops in a row.</summary>
    public int FailedStops { get; init; }

    /// <summary>The engine went away since the last inspection, and may have taken containers with it.</summary>
    public bool EngineDisconnected { get; init; }
}
