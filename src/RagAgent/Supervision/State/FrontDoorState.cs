using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <param name="IsOpen">The front door listens.</param>
/// <param name="Problem">Why it does not, once it was tried.</param>
internal sealed record FrontDoorState(bool IsOpen, Problem? Problem);
