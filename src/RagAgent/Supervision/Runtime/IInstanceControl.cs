namespace RagAgent.Supervision.Runtime;

/// <summary>The machine that all of this runs on.</summary>
internal interface IInstanceControl
{
    /// <summary>Asks EC2 to stop it; it goes down soon after.</summary>
    /// <returns>Its id.</returns>
    Task<string> StopAsync(CancellationToken stopping);
}
