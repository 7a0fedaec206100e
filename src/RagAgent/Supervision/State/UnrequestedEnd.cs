namespace RagAgent.Supervision.State;

/// <summary>The last end of the container in front that the agent had not requested.</summary>
/// <param name="Container">The container as the engine showed it.</param>
/// <param name="Failure">The failure that was concluded from it.</param>
/// <param name="PreviousFailure">The last failure before that.</param>
/// <param name="IsExternal">It is known that someone else asked the engine for it.</param>
internal sealed record UnrequestedEnd(Container Container, Failure Failure, Failure? PreviousFailure, bool IsExternal);
