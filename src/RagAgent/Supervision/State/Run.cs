namespace RagAgent.Supervision.State;

/// <summary>One run of one container.</summary>
/// <param name="ContainerId">The engine's full id.</param>
/// <param name="StartedAt">The engine's timestamp, which identifies the run.</param>
internal sealed record Run(string ContainerId, string StartedAt)
{
    /// <summary>The agent asked the engine to stop it, so its end is the agent's doing, whenever it comes.</summary>
    public bool StopRequested { get; init; }

    /// <summary>It has passed its gate. An agent that adopts it runs no session again.</summary>
    public bool PassedGate { get; init; }
}
