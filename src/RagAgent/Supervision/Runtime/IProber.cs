using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Probes the app.</summary>
internal interface IProber
{
    /// <param name="kind">What to ask.</param>
    /// <param name="container">The app's container.</param>
    /// <param name="sessionLimit">Gate only: how long the session may take; null: no session.</param>
    /// <param name="stopping">Cancels the probe.</param>
    Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, TimeSpan? sessionLimit, CancellationToken stopping);
}
