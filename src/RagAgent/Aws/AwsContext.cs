using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;

namespace RagAgent.Aws;

/// <summary>Who we are to AWS, and where: credentials by the standard chain, the region by configuration, environment, profile or instance.</summary>
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

    /// <summary>Credentials that refresh themselves. Asked for anew at every call: a role attached later is found.</summary>
    /// <exception cref="ProblemException">There are none; says why.</exception>
    public async Task<AWSCredentials> CredentialsAsync(CancellationToken stopping)
    {
        try
        {
            var credentials = await _credentialsChain.ResolveIdentityAsync(null, stopping).WaitAsync(stopping);
            // Resolving finds a source; only asking it shows whether it has something to give.
            await credentials.GetCredentialsAsync().WaitAsync(stopping);
            boot.Reach(BootMilestone.Credentials);
            return credentials;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var reason = await metadata.ExplainMissingCredentialsAsync(stopping);
            throw new ProblemException(reason ?? new Problem(ProblemCatalog.AwsCredentials, "No AWS credentials were found, though the instance has some to give.",
                "The agent tries again by itself; if this stays, check AWS_PROFILE and the files it names."), exception);
        }
    }

    /// <summary>
    /// Makes a call. When AWS refuses credentials that the instance has replaced meanwhile, because a role was changed or they were
    /// ended early, it is made once more with the new ones: the SDK itself asks for them every two minutes only.
    /// </summary>
    /// <exception cref="ProblemException">The call's own, or there are no credentials.</exception>
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
            return current is null || current.GetCredentials().AccessKey == (await refused.GetCredentialsAsync().WaitAsync(stopping)).AccessKey ? null : current;
        }
        catch (Exception exception) when (exception is ProblemException or AmazonClientException or AmazonServiceException)
        {
            return null;   // the refusal says more
        }
    }

    // The class is not public; the test of a changed role notices when its name is another.
    private static bool AreInstanceCredentials(AWSCredentials credentials) => credentials.GetType().Name == "DefaultInstanceProfileAWSCredentials";
}
