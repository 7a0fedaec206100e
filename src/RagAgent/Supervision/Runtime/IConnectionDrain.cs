using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The front door, as far as the supervision has to wait for it.</summary>
internal interface IConnectionDrain
{
    /// <summary>Waits until visitors have nothing under way with the container, at most for the given time.</summary>
    /// <returns>How many requests and sessions were left when the time was over; 0: all had ended.</returns>
    Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping);

    /// <summary>Waits until plain requests to the container have their answers, at most for the given time. Sessions (WebSockets) are not waited for.</summary>
    /// <returns>How many were left when the time was over; 0: all had ended.</returns>
    Task<int> FinishAsync(Container container, TimeSpan atMost, CancellationToken stopping);
}
