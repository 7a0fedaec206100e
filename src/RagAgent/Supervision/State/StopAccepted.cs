using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>EC2 accepted the stop of the instance.</summary>
/// <param name="InstanceId">EC2's id of the instance.</param>
/// <param name="At">When EC2 accepted it.</param>
internal sealed record StopAccepted(string InstanceId, Moment At);
