using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;

namespace RagAgent.Aws;

/// <summary>The SDK's own reading of the standard settings (endpoint URLs of environment and profile, FIPS, dual stack) for EC2.</summary>
/// <remarks>One call does not need the SDK's client of EC2, its largest: docs/decisions/0014-idle-stop.md.</remarks>
internal sealed class Ec2ClientConfig : ClientConfig
{
    public const string ApiVersion = "2016-11-15";

    public Ec2ClientConfig(RegionEndpoint region)
        : base(new DefaultConfigurationProvider([new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        ServiceId = "EC2";
        RegionEndpoint = region;
    }

    public override string ServiceVersion => ApiVersion;
    public override string UserAgent => "ragagent";
    public override string RegionEndpointServiceName => "ec2";

    /// <summary>Where EC2's API answers.</summary>
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
                ? $"https://ec2{fips}.{RegionEndpoint.SystemName}.api.aws/"
                : $"https://ec2{fips}.{RegionEndpoint.SystemName}.{RegionEndpoint.PartitionDnsSuffix}/");
        }
    }

    public override Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => new(EndpointUri.ToString());
}
