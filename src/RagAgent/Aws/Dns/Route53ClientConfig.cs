using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;

namespace RagAgent.Aws.Dns;

/// <summary>The SDK's own reading of the standard settings (endpoint URLs of environment and profile, FIPS, dual stack) for Route 53.</summary>
/// <remarks>Its client can't be had where this is built, and three calls do not need it: docs/decisions/0016-one-name.md.</remarks>
internal sealed class Route53ClientConfig : ClientConfig
{
    public const string ApiVersion = "2013-04-01";

    private readonly PartitionHosts _hosts;

    /// <param name="region">A region of the account's partition: Route 53 has one place for each of these.</param>
    public Route53ClientConfig(RegionEndpoint region)
        : base(new DefaultConfigurationProvider([new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        ServiceId = "Route 53";
        RegionEndpoint = region;
        _hosts = PartitionHosts.Of(region);
    }

    public override string ServiceVersion => ApiVersion;
    public override string UserAgent => "ragagent";
    public override string RegionEndpointServiceName => "route53";

    /// <summary>Which region a call is signed for, wherever it comes from.</summary>
    public RegionEndpoint SigningRegion => RegionEndpoint.GetBySystemName(_hosts.SigningRegion);

    /// <summary>Where its API answers.</summary>
    public Uri EndpointUri
    {
        get
        {
            if (ServiceURL is { Length: > 0 } set)
            {
                return new Uri(set);
            }
            // What a partition does not have is not asked for: the plain name answers.
            return new Uri((UseFIPSEndpoint, UseDualstackEndpoint) switch
            {
                (true, true) => $"https://{_hosts.FipsDualStack ?? _hosts.Fips ?? _hosts.Default}/",
                (true, false) => $"https://{_hosts.Fips ?? _hosts.Default}/",
                (false, true) => $"https://{_hosts.DualStack ?? _hosts.Default}/",
                (false, false) => $"https://{_hosts.Default}/",
            });
        }
    }

    public override Amazon.Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) => new(EndpointUri.ToString());

    /// <summary>A partition's hosts. They follow no pattern that would hold for all.</summary>
    private sealed record PartitionHosts(string SigningRegion, string Default, string? DualStack = null, string? Fips = null, string? FipsDualStack = null)
    {
        public static PartitionHosts Of(RegionEndpoint region) => region.PartitionName switch
        {
            "aws-cn" => new("cn-northwest-1", "route53.amazonaws.com.cn", "route53.global.api.amazonwebservices.com.cn"),
            "aws-us-gov" => new("us-gov-west-1", "route53.us-gov.amazonaws.com", "route53.us-gov.api.aws", "route53.us-gov.amazonaws.com", "route53.us-gov.api.aws"),
            "aws-eusc" => new("eusc-de-east-1", "route53.amazonaws.eu", "route53.global.api.amazonwebservices.eu"),
            "aws-iso" => new("us-iso-east-1", "route53.c2s.ic.gov"),
            "aws-iso-b" => new("us-isob-east-1", "route53.sc2s.sgov.gov"),
            "aws-iso-e" => new("eu-isoe-west-1", "route53.cloud.adc-e.uk"),
            "aws-iso-f" => new("us-isof-south-1", "route53.csp.hci.ic.gov"),
            _ => new("us-east-1", "route53.amazonaws.com", "route53.global.api.aws", "route53-fips.amazonaws.com", "route53-fips.global.api.aws"),
        };
    }
}
