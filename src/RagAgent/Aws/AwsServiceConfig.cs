using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Endpoint = Amazon.Runtime.Endpoints.Endpoint;

namespace RagAgent.Aws;

/// <summary>
/// Reads the standard AWS settings (endpoint URLs from environment and profile, FIPS, dual stack) the way the SDK does, for a service
/// that the agent calls without the SDK's client.
/// </summary>
internal abstract class AwsServiceConfig : ClientConfig
{
    protected AwsServiceConfig(string serviceId, RegionEndpoint region)
        : base(new DefaultConfigurationProvider(
            [new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard }]))
    {
        ServiceId = serviceId;
        RegionEndpoint = region;
    }

    public override string UserAgent => "ragagent";

    /// <summary>The address of the service's API.</summary>
    public Uri EndpointUri => new(ServiceURL is { Length: > 0 } configured ? configured : $"https://{Host}/");

    /// <summary>The host for the region, FIPS and dual-stack settings, if no setting names an endpoint.</summary>
    protected abstract string Host { get; }

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        new(EndpointUri.ToString());
}
