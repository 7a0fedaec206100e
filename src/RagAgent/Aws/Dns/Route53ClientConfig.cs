using Amazon;

namespace RagAgent.Aws.Dns;

/// <summary>The standard AWS settings for Route 53.</summary>
/// <remarks>
/// The SDK's client can't be restored where this project is built, and three calls don't need it: docs/decisions/0016-one-name.md.
/// </remarks>
/// <param name="region">Any region of the account's partition: Route 53 has one endpoint per partition.</param>
internal sealed class Route53ClientConfig(RegionEndpoint region) : AwsServiceConfig("Route 53", region)
{
    public const string ApiVersion = "2013-04-01";

    private readonly PartitionHosts _hosts = PartitionHosts.Of(region);

    public override string ServiceVersion => ApiVersion;

    public override string RegionEndpointServiceName => "route53";

    /// <summary>The region that calls are signed for, wherever they come from.</summary>
    public RegionEndpoint SigningRegion => RegionEndpoint.GetBySystemName(_hosts.SigningRegion);

    // Where a partition lacks a variant, the plain host is used.
    protected override string Host => (UseFIPSEndpoint, UseDualstackEndpoint) switch
    {
        (true, true) => _hosts.FipsDualStack ?? _hosts.Fips ?? _hosts.Default,
        (true, false) => _hosts.Fips ?? _hosts.Default,
        (false, true) => _hosts.DualStack ?? _hosts.Default,
        (false, false) => _hosts.Default,
    };

    /// <summary>A partition's hosts. They follow no common pattern.</summary>
    private sealed record PartitionHosts(
        string SigningRegion, string Default, string? DualStack = null, string? Fips = null, string? FipsDualStack = null)
    {
        public static PartitionHosts Of(RegionEndpoint region) => region.PartitionName switch
        {
            "aws-cn" => new("cn-northwest-1", "route53.amazonaws.com.cn", "route53.global.api.amazonwebservices.com.cn"),
            "aws-us-gov" => new(
                "us-gov-west-1",
                "route53.us-gov.amazonaws.com",
                "route53.us-gov.api.aws",
                "route53.us-gov.amazonaws.com",
                "route53.us-gov.api.aws"),
            "aws-eusc" => new("eusc-de-east-1", "route53.amazonaws.eu", "route53.global.api.amazonwebservices.eu"),
            "aws-iso" => new("us-iso-east-1", "route53.c2s.ic.gov"),
            "aws-iso-b" => new("us-isob-east-1", "route53.sc2s.sgov.gov"),
            "aws-iso-e" => new("eu-isoe-west-1", "route53.cloud.adc-e.uk"),
            "aws-iso-f" => new("us-isof-south-1", "route53.csp.hci.ic.gov"),
            _ => new(
                "us-east-1",
                "route53.amazonaws.com",
                "route53.global.api.aws",
                "route53-fips.amazonaws.com",
                "route53-fips.global.api.aws"),
        };
    }
}
