namespace RagAgent.Supervision.State;

/// <summary>A place for a container. There are two.</summary>
internal enum Slot
{
    /// <summary>Its container receives requests, or will.</summary>
    Front,

    /// <summary>Holds a candidate that must become ready, a container that drains, or a stray that must go.</summary>
    Candidate,
}
