using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Probes the app.</summary>
internal interface IProber
{
    Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, CancellationToken stopping);
}
