namespace RagAgent.Supervision.State;

/// <summary>The last end of the container in front that the agent had not asked for.</summary>
/// <param name="Container">As the engine showed it.</param>
/// <param name="Failure">What it was taken for.</param>
/// <param name="PreviousFailure">The last failure before it.</param>
/// <param name="IsExternal">It is known that somebody had asked for it.</param>
internal sealed record ContainerEnd(Container Container, Failure Failure, Failure? PreviousFailure, bool IsExternal);
