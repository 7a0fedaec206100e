using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;

namespace RagAgent.Aws;

/// <summary>The credentials (by the SDK's standard chain) and the region (from configuration, environment, profile or instance).</summary>
internal sealed class AwsContext(AgentConfig config, InstanceMetadata metadata, BootTimeline boot) : IDisposable
{
    private readonly DefaultAWSCredentialsIdentityResolver _credentialsChain = new();
    private RegionEndpoint? _region;

    /// <exception cref="ProblemException">No source names a region.</exception>
    public async Task<RegionEndpoint> RegionAsync(CancellationToken stopping) =>
        _region ??= RegionEndpoint.GetBySystemName(
            config.Aws.Region ??
            FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName ??
            await metadata.RegionAsync(stopping));

    /// <summary>Credentials that refresh themselves. Resolved on every call, so that a role attached later is found.</summary>
    /// <exception cref="ProblemException">There are no credentials. The problem says why.</exception>
    public async Task<AWSCredentials> CredentialsAsync(CancellationToken stopping)
    {
        try
        {
            var credentials = await _credentialsChain.ResolveIdentityAsync(null, stopping).WaitAsync(stopping);
            // Resolving finds a source. Only a read shows whether it has credentials.
            await credentials.GetCredentialsAsync().WaitAsync(stopping);
            boot.Reach(BootMilestone.Credentials);
            return credentials;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var reason = await metadata.ExplainMissingCredentialsAsync(stopping);
            throw new ProblemException(reason ?? new Problem(ProblemCatalog.AwsCredentials,
                "No AWS credentials were found, although the instance offers some.",
                $"{ExceptionMapping.RetriesAutomatically} If this persists, check AWS_PROFILE and the files it names."), exception);
        }
    }

    /// <summary>
    /// Makes a call. If AWS refuses credentials that the instance has replaced meanwhile (the role was changed, or they were revoked),
    /// the call is made once more with the new ones. The SDK itself would check for new ones only every two minutes.
    /// </summary>
    /// <exception cref="ProblemException">The call failed, or there are no credentials.</exception>
    public async Task<T> CallAsync<T>(Func<AWSCredentials, Task<T>> call, CancellationToken stopping)
    {
        var credentials = await CredentialsAsync(stopping);
        try
        {
            return await call(credentials);
        }
        catch (ProblemException exception) when (AwsProblems.IsCredentialsProblem(exception.Problem) && AreInstanceCredentials(credentials))
        {
            if (await RefreshedCredentialsAsync(credentials, stopping) is not { } refreshed)
            {
                throw;
            }
            return await call(refreshed);
        }
    }

    public void Dispose() => _credentialsChain.Dispose();

    private async Task<AWSCredentials?> RefreshedCredentialsAsync(AWSCredentials refused, CancellationToken stopping)
    {
        try
        {
            var current = await metadata.CredentialsAsync(stopping);
            var refusedKey = (await refused.GetCredentialsAsync().WaitAsync(stopping)).AccessKey;
            return current?.GetCredentials().AccessKey == refusedKey ? null : current;
        }
        catch (Exception exception) when (exception is ProblemException or AmazonClientException or AmazonServiceException)
        {
            return null;   // the original refusal tells more
        }
    }

    // The class is not public. The test with a changed role fails if its name changes.
    private static bool AreInstanceCredentials(AWSCredentials credentials) =>
        credentials.GetType().Name == "DefaultInstanceProfileAWSCredentials";
}
