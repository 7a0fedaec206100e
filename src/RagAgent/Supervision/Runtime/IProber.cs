using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Asks the app how it is.</summary>
internal interface IProber
{
    Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, CancellationToken stopping);
}
