namespace RagAgent.Supervision.Runtime;

/// <summary>The instance that the agent runs on.</summary>
internal interface IInstanceControl
{
    /// <summary>Asks EC2 to stop it. It shuts down soon after.</summary>
    /// <returns>The instance's id.</returns>
    Task<string> StopAsync(CancellationToken stopping);
}
