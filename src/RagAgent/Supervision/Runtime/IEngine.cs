using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The container engine.</summary>
internal interface IEngine
{
    Task<Inventory> InspectAsync(CancellationToken stopping);

    /// <summary>Creates, starts and hands over the secrets. What it made and could not start, it removes again.</summary>
    Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping);

    /// <summary>Returns when the container has ended and is gone, also when it was gone before. That one which ran can't be removed is no failure.</summary>
    /// <param name="container">The one to stop and remove.</param>
    /// <param name="successor">Gets the configured name, which may now be free; null: nobody. That it can't is no failure.</param>
    /// <param name="stopping">Ends the wait, not the stop.</param>
    Task StopAsync(Container container, Container? successor, CancellationToken stopping);
}
