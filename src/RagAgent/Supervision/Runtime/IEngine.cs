using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The container engine.</summary>
internal interface IEngine
{
    Task<Inventory> InspectAsync(CancellationToken stopping);

    /// <summary>Creates, starts and hands over the secrets. A container that it created but could not start is removed.</summary>
    Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping);

    /// <summary>
    /// Returns when the container has ended and is removed, even if it was gone before. If a container that has ended can't be removed, that
    /// is not an error.
    /// </summary>
    /// <param name="container">The container to stop and remove.</param>
    /// <param name="successor">Gets the configured name, which may be free now; null: none. Failing to rename it is not an error.</param>
    /// <param name="stopping">Ends only the wait. The stop continues.</param>
    Task StopAsync(Container container, Container? successor, CancellationToken stopping);
}
