using Amazon;

namespace RagAgent.Aws;

/// <summary>The standard AWS settings for ECR.</summary>
/// <remarks>The generated ECR client can't be restored where this project is built: docs/decisions/0001-ecr-client.md.</remarks>
internal sealed class EcrClientConfig(RegionEndpoint region) : AwsServiceConfig("ECR", region)
{
    public override string ServiceVersion => "2015-09-21";

    public override string RegionEndpointServiceName => "api.ecr";

    protected override string Host
    {
        get
        {
            var fips = UseFIPSEndpoint ? "-fips" : "";
            return UseDualstackEndpoint
                ? $"ecr{fips}.{RegionEndpoint.SystemName}.api.aws"
                : $"api.ecr{fips}.{RegionEndpoint.SystemName}.{RegionEndpoint.PartitionDnsSuffix}";
        }
    }
}
