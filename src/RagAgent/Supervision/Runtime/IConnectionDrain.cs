using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Ends the front door's connections to a container that is about to stop.</summary>
internal interface IConnectionDrain
{
    /// <summary>
    /// Waits until the container has no in-flight requests or sessions, at most for the given time. Moves the sessions that aren't in use
    /// to the serving container at once, and the other ones when the time is up.
    /// </summary>
    /// <returns>How many requests and sessions were left when the time was up; 0: none.</returns>
    Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping);

    /// <summary>
    /// Waits until plain requests to the container have their answers, at most for the given time. Sessions (WebSockets) are not waited
    /// for.
    /// </summary>
    /// <returns>How many were left when the time was up; 0: none.</returns>
    Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping);

    /// <summary>Closes the container's sessions, so that their pages connect to the next container. Takes less than a second.</summary>
    Task MoveSessionsAsync(Container container, CancellationToken stopping);
}
