using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Secrets;

namespace RagAgent.Aws;

/// <summary>Parameter Store by the AWS SDK, which follows every standard AWS setting.</summary>
internal sealed class SsmParameterStore(AwsContext context, TimeProvider time) : IParameterStore
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    public async Task<RawSecret> ReadAsync(string name, CancellationToken stopping)
    {
        var region = await context.RegionAsync(stopping);
        return await context.CallAsync(credentials => ReadAsync(name, region, credentials, stopping), stopping);
    }

    private async Task<RawSecret> ReadAsync(string name, RegionEndpoint region, AWSCredentials credentials, CancellationToken stopping)
    {
        // Signed for the region also when a standard setting names the endpoint itself.
        var clientConfig = new AmazonSimpleSystemsManagementConfig { RegionEndpoint = region, AuthenticationRegion = region.SystemName, Timeout = ResponseTimeout };
        using var ssm = new AmazonSimpleSystemsManagementClient(credentials, clientConfig);
        try
        {
            var response = await ssm.GetParameterAsync(new GetParameterRequest { Name = name, WithDecryption = true }, stopping);
            var parameter = response.Parameter ?? throw new ProblemException(new Problem(ProblemCatalog.SsmGarbled, $"Parameter Store's answer for {name} can't be understood.", ExceptionMapping.RetriesAutomatically));
            return new RawSecret(parameter.Value ?? "", $"{parameter.Version ?? 0}", parameter.Type == ParameterType.SecureString
                ? null
                : $"The parameter {name} is a {parameter.Type}, stored in plain text: make it a SecureString ('aws ssm put-parameter --name {name} --type SecureString --overwrite --value file://key.txt').");
        }
        catch (AmazonServiceException exception) when (exception is ParameterNotFoundException || exception.ErrorCode == "ParameterNotFound")
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmParameterMissing, $"The parameter {name} does not exist in {region.SystemName}.",
                $"Create it with 'aws ssm put-parameter --name {name} --type SecureString --value file://key.txt --region {region.SystemName}', or correct secrets or aws.region in the configuration; the agent looks again by itself."), exception);
        }
        catch (AmazonServiceException exception) when (exception.ErrorCode == "ParameterVersionNotFound")
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmVersionMissing, $"The parameter {name} has no such version or label.",
                "Correct the part after ':' in secrets; the agent looks again by itself."), exception);
        }
        catch (AmazonServiceException exception) when (exception.ErrorCode is { Length: > 0 })
        {
            throw new ProblemException(AwsProblems.From(exception.ErrorCode, exception.Message, $"reading the parameter {name}", "ssm:GetParameter") with { RetryAfter = ReadRetryAfter(exception) }, exception);
        }
        catch (Exception exception) when (exception is AmazonServiceException or AmazonClientException or HttpRequestException or TimeoutException or OperationCanceledException && !stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmUnreachable, $"Parameter Store in {region.SystemName} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                $"Check the instance's network (a private subnet needs a NAT gateway or a VPC endpoint for ssm). {ExceptionMapping.RetriesAutomatically}"), exception);
        }
    }

    /// <summary>The SDK keeps the answer's headers in what it wrapped.</summary>
    private TimeSpan? ReadRetryAfter(AmazonServiceException exception) => exception.InnerException is HttpErrorResponseException { Response: { } response } && response.IsHeaderPresent("Retry-After")
        ? RetryAfter.Parse(response.GetHeaderValue("Retry-After"), time.GetUtcNow())
        : null;
}
