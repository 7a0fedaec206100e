using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Secrets;

namespace RagAgent.Aws;

/// <summary>Reads Parameter Store with the AWS SDK, which follows every standard AWS setting.</summary>
internal sealed class SsmParameterStore(AwsContext context, TimeProvider time) : IParameterStore
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    public async Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping)
    {
        var region = await context.RegionAsync(stopping);
        return await context.CallAsync(credentials => ReadAsync(name, purpose, region, credentials, stopping), stopping);
    }

    private async Task<RawSecret> ReadAsync(
        string name, SecretPurpose purpose, RegionEndpoint region, AWSCredentials credentials, CancellationToken stopping)
    {
        var clientConfig = new AmazonSimpleSystemsManagementConfig
        {
            RegionEndpoint = region,
            AuthenticationRegion = region.SystemName,   // even if a standard setting names the endpoint
            Timeout = ResponseTimeout,
        };
        using var ssm = new AmazonSimpleSystemsManagementClient(credentials, clientConfig);
        try
        {
            var response = await ssm.GetParameterAsync(new GetParameterRequest { Name = name, WithDecryption = true }, stopping);
            var parameter = response.Parameter ?? throw new ProblemException(new Problem(ProblemCatalog.SsmGarbled,
                $"Parameter Store's response for {name} is not valid.", ExceptionMapping.RetriesAutomatically));
            var warning = parameter.Type == ParameterType.SecureString
                ? null
                : $"The parameter {name} is a {parameter.Type}, stored in plain text: make it a SecureString " +
                  $"('aws ssm put-parameter --name {name} --type SecureString --overwrite --value file://{purpose.FileName}').";
            return new RawSecret(parameter.Value ?? "", $"{parameter.Version ?? 0}", warning);
        }
        catch (AmazonServiceException exception) when (
            exception is ParameterNotFoundException || exception.ErrorCode == "ParameterNotFound")
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmParameterMissing,
                $"The parameter {name} does not exist in {region.SystemName}.",
                $"{purpose.Preparation}Create it with 'aws ssm put-parameter --name {name} --type SecureString " +
                $"--value file://{purpose.FileName} --region {region.SystemName}', or correct {purpose.ConfigKey} or aws.region in the " +
                $"configuration. {ExceptionMapping.RetriesAutomatically}"), exception);
        }
        catch (AmazonServiceException exception) when (exception.ErrorCode == "ParameterVersionNotFound")
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmVersionMissing,
                $"The parameter {name} has no such version or label.",
                $"Correct the part after ':' in {purpose.ConfigKey}. {ExceptionMapping.RetriesAutomatically}"), exception);
        }
        catch (AmazonServiceException exception) when (exception.ErrorCode is { Length: > 0 })
        {
            var problem = AwsProblems.From(exception.ErrorCode, exception.Message, $"read the parameter {name}", "ssm:GetParameter");
            throw new ProblemException(problem with { RetryAfter = ReadRetryAfter(exception) }, exception);
        }
        catch (Exception exception) when (exception is AmazonServiceException or AmazonClientException or HttpRequestException
            or TimeoutException or OperationCanceledException && !stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SsmUnreachable,
                $"Parameter Store in {region.SystemName} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                "Check the instance's network (a private subnet needs a NAT gateway or a VPC endpoint for ssm). " +
                ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    /// <summary>The SDK keeps the response's headers in the inner exception.</summary>
    private TimeSpan? ReadRetryAfter(AmazonServiceException exception) =>
        exception.InnerException is HttpErrorResponseException { Response: { } response } && response.IsHeaderPresent("Retry-After")
            ? RetryAfter.Parse(response.GetHeaderValue("Retry-After"), time.GetUtcNow())
            : null;
}
