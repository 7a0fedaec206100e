using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>EC2 stops the instance.</summary>
/// <param name="InstanceId">As EC2 knows it.</param>
/// <param name="At">When EC2 said so.</param>
internal sealed record StopAccepted(string InstanceId, Moment At);
