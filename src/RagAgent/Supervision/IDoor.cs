namespace RagAgent.Supervision;

/// <summary>Where visitors come in.</summary>
internal interface IDoor
{
    /// <summary>Waits until no request and no WebSocket is on its way to the container any more.</summary>
    /// <remarks>It ends by itself only when the state that visitors are led by does not say any more that the container serves: publish that first.</remarks>
    /// <returns>How many were left when the time was over; 0: none.</returns>
    Task<int> DrainAsync(Container container, TimeSpan atMost, CancellationToken stopping);
}
