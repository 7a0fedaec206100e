namespace RagAgent.Supervision.Runtime;

/// <summary>A loop that can show that it still goes round.</summary>
internal interface IHeartbeat
{
    /// <summary>For people, as in "The agent's … does not answer".</summary>
    string Name { get; }

    /// <summary>Returns when the loop has gone round once more; a loop that is stuck never lets it return.</summary>
    /// <param name="stopping">Ends the wait.</param>
    Task BeatAsync(CancellationToken stopping);
}
