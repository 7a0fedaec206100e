using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Looks at a container's ports from inside.</summary>
internal interface IPortInspector
{
    /// <returns>Null: the image has no program that could tell.</returns>
    Task<ContainerPorts?> InspectPortsAsync(Container container, CancellationToken stopping);
}
