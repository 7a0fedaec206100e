using Amazon;

namespace RagAgent.Aws;

/// <summary>The standard AWS settings for EC2.</summary>
/// <remarks>The SDK's EC2 client is its largest, and the agent makes one call: docs/decisions/0014-idle-stop.md.</remarks>
internal sealed class Ec2ClientConfig(RegionEndpoint region) : AwsServiceConfig("EC2", region)
{
    public const string ApiVersion = "2016-11-15";

    public override string ServiceVersion => ApiVersion;

    public override string RegionEndpointServiceName => "ec2";

    protected override string Host
    {
        get
        {
            var fips = UseFIPSEndpoint ? "-fips" : "";
            return UseDualstackEndpoint
                ? $"ec2{fips}.{RegionEndpoint.SystemName}.api.aws"
                : $"ec2{fips}.{RegionEndpoint.SystemName}.{RegionEndpoint.PartitionDnsSuffix}";
        }
    }
}
