using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Waits for in-flight requests at the front door.</summary>
internal interface IConnectionDrain
{
    /// <summary>Waits until the container has no in-flight requests or sessions, at most for the given time.</summary>
    /// <returns>How many requests and sessions were left when the time was up; 0: none.</returns>
    Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping);

    /// <summary>
    /// Waits until plain requests to the container have their answers, at most for the given time. Sessions (WebSockets) are not waited
    /// for.
    /// </summary>
    /// <returns>How many were left when the time was up; 0: none.</returns>
    Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping);
}
