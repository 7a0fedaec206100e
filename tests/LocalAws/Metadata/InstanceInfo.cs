namespace LocalAws.Metadata;

/// <summary>The instance that IMDS describes.</summary>
/// <param name="InstanceId">The instance's ID.</param>
/// <param name="InstanceType">The instance's type.</param>
/// <param name="ImageId">The AMI's ID.</param>
/// <param name="RoleName">Null for an instance without a role: <c>iam/…</c> answers 404.</param>
/// <param name="LocalIpv4">The private address.</param>
/// <param name="PublicIpv4">Null for no public address: the path answers 404, as on EC2.</param>
/// <param name="LifeCycle"><c>on-demand</c> or <c>spot</c>.</param>
/// <param name="Ipv6">The first address of the first network interface; null for none: the path answers 404.</param>
public sealed record InstanceInfo(
    string InstanceId = "i-0123456789abcdef0",
    string InstanceType = "t3.small",
    string ImageId = "ami-0123456789abcdef0",
    string? RoleName = "ragstream-instance",
    string LocalIpv4 = "10.0.0.10",
    string? PublicIpv4 = null,
    string LifeCycle = "on-demand",
    string? Ipv6 = null);
