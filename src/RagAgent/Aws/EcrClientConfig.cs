using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;

namespace RagAgent.Aws;

/// <summary>The SDK's own reading of the standard settings (endpoint URLs of environment and profile, FIPS, dual stack) for ECR.</summary>
/// <remarks>The generated ECR client can't be restored from where this project builds: docs/decisions/0001-ecr-client.md.</remarks>
internal sealed class EcrClientConfig : ClientConfig
{
    public EcrClientConfig(RegionEndpoint region)
        : base(new DefaultConfigurationProvider([new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        ServiceId = "ECR";
        RegionEndpoint = region;
    }

    public override string ServiceVersion => "2015-09-21";
    public override string UserAgent => "ragagent";
    public override string RegionEndpointServiceName => "api.ecr";

    /// <summary>Where ECR's API answers.</summary>
    public Uri EndpointUri
    {
        get
        {
            if (ServiceURL is { Length: > 0 } set)
            {
                return new Uri(set);
            }
            var fips = UseFIPSEndpoint ? "-fips" : "";
            return new Uri(UseDualstackEndpoint
                ? $"https://ecr{fips}.{RegionEndpoint.SystemName}.api.aws/"
                : $"https://api.ecr{fips}.{RegionEndpoint.SystemName}.{RegionEndpoint.PartitionDnsSuffix}/");
        }
    }

    public override Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => new(EndpointUri.ToString());
}
