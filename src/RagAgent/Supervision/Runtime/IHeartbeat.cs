namespace RagAgent.Supervision.Runtime;

/// <summary>A loop that can show that it still runs.</summary>
internal interface IHeartbeat
{
    /// <summary>For messages such as "The agent's … does not answer".</summary>
    string Name { get; }

    /// <summary>Returns after the loop's next round. If the loop is stuck, it never returns.</summary>
    /// <param name="stopping">Ends the wait.</param>
    Task BeatAsync(CancellationToken stopping);
}
