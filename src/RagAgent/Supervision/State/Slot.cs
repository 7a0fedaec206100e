namespace RagAgent.Supervision.State;

/// <summary>There are two places for a container of ours.</summary>
internal enum Slot
{
    /// <summary>The one that visitors are brought to, or will be.</summary>
    Front,

    /// <summary>A candidate that has to prove itself first, one that is being drained, or a stray that has to go.</summary>
    Candidate,
}
