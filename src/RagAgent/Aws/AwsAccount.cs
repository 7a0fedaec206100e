using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>Who we are to AWS, and where: credentials by the standard chain, the region by configuration, environment, profile or instance.</summary>
internal sealed class AwsAccount(AgentConfig config, InstanceMetadata metadata, BootTimeline boot) : IDisposable
{
    private readonly DefaultAWSCredentialsIdentityResolver _chain = new();
    private RegionEndpoint? _region;

    /// <exception cref="ProblemException">No source names a region.</exception>
    public async Task<RegionEndpoint> RegionAsync(CancellationToken stopping) =>
        _region ??= RegionEndpoint.GetBySystemName(
            config.Aws.Region ??
            FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName ??
            await metadata.RegionAsync(stopping));

    /// <summary>Credentials that refresh themselves. Asked for anew at every call: a role attached later is found.</summary>
    /// <exception cref="ProblemException">There are none; says why.</exception>
    public async Task<AWSCredentials> CredentialsAsync(CancellationToken stopping)
    {
        try
        {
            var credentials = await _chain.ResolveIdentityAsync(null, stopping).WaitAsync(stopping);
            // Resolving finds a source; only asking it shows whether it has something to give.
            await credentials.GetCredentialsAsync().WaitAsync(stopping);
            boot.Reach(Milestone.Credentials);
            return credentials;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var why = await metadata.WhyNoCredentialsAsync(stopping);
            throw new ProblemException(why ?? new Problem("aws-credentials", "No AWS credentials were found, though the instance has some to give.",
                "The agent tries again by itself; if this stays, check AWS_PROFILE and the files it names."), e);
        }
    }

    public void Dispose() => _chain.Dispose();
}
