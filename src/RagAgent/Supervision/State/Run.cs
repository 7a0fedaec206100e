namespace RagAgent.Supervision.State;

/// <summary>One run of one container.</summary>
/// <param name="ContainerId">The engine's full id.</param>
/// <param name="StartedAt">The engine's text.</param>
internal sealed record Run(string ContainerId, string StartedAt)
{
    /// <summary>The agent has asked the engine to stop it: its end, whenever it comes and whoever sees it, is nobody else's doing.</summary>
    public bool StopRequested { get; init; }
}
