using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <param name="IsOpen">The front door listens.</param>
/// <param name="Problem">Why it does not listen; null before the first try and while it listens.</param>
internal sealed record FrontDoorState(bool IsOpen, Problem? Problem);
