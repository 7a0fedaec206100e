using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>What is known about why containers ended: by themselves, by the agent, by a person or with the engine.</summary>
internal sealed record Evidence
{
    /// <summary>Runs of containers that were the agent's own doing, the newest first; two at most, and one more that it is stopping.</summary>
    public ImmutableArray<Run> Runs { get; init; } = [];

    /// <summary>A container whose stop somebody has asked the engine for.</summary>
    public string? ExternalStop { get; init; }

    /// <summary>The last end of the container in front, as long as it may turn out to have been somebody else's doing.</summary>
    public ContainerEnd? LastEnd { get; init; }

    /// <summary>The last strike, as long as it may turn out to have been somebody else's doing.</summary>
    public Strike? LastStrike { get; init; }

    /// <summary>Stops in a row that the engine did not carry out, though it answers.</summary>
    public int FailedStops { get; init; }

    /// <summary>The engine went away since it was last looked at: what ended meanwhile may have ended by that.</summary>
    public bool EngineDisconnected { get; init; }
}
