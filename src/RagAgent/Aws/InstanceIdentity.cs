namespace RagAgent.Aws;

/// <summary>Identifies the instance to EC2 and IAM.</summary>
/// <param name="InstanceId">Such as <c>i-0123456789abcdef0</c>.</param>
/// <param name="Region">The instance's own region. The agent's other calls may go to another one.</param>
/// <param name="AccountId">Twelve digits.</param>
internal sealed record InstanceIdentity(string InstanceId, string Region, string AccountId);
