using System.Net.Http.Headers;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Aws;

/// <summary>Stops this instance with EC2's StopInstances, signed by the SDK's signer.</summary>
/// <remarks>Not a power-off: that would delete an instance whose shutdown behavior is "terminate".</remarks>
internal sealed class Ec2InstanceControl(AwsContext context, InstanceMetadata metadata, TimeProvider time) : IInstanceControl
{
    private const string Action = "ec2:StopInstances";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    public async Task<string> StopAsync(CancellationToken stopping)
    {
        var identity = await metadata.IdentityAsync(stopping);
        await context.CallAsync(credentials => SendStopInstancesAsync(identity, credentials, isDryRun: false, stopping), stopping);
        return identity.InstanceId;
    }

    /// <summary>Checks whether EC2 would stop the instance, without stopping it.</summary>
    /// <returns>The instance's ID.</returns>
    /// <exception cref="ProblemException">EC2 would refuse, or can't be reached.</exception>
    public async Task<string> DryRunStopAsync(CancellationToken stopping)
    {
        var identity = await metadata.IdentityAsync(stopping);
        await context.CallAsync(credentials => SendStopInstancesAsync(identity, credentials, isDryRun: true, stopping), stopping);
        return identity.InstanceId;
    }

    private async Task<bool> SendStopInstancesAsync(
        InstanceIdentity identity, AWSCredentials credentials, bool isDryRun, CancellationToken stopping)
    {
        // The instance's own region, which may differ from the one that the agent reads parameters from.
        var region = RegionEndpoint.GetBySystemName(identity.Region);
        var endpoint = new Ec2ClientConfig(region).EndpointUri;
        var signing = new SigV4SigningHandler(credentials, region, "ec2", new SocketsHttpHandler());
        using var http = new HttpClient(signing) { Timeout = Timeout.InfiniteTimeSpan };
        using var timeout = new LinkedTimeout(ResponseTimeout, time, stopping);
        try
        {
            using var request = CreateRequest(endpoint, identity, isDryRun);
            using var response = await http.SendAsync(request, timeout.Token);
            if (response.IsSuccessStatusCode)
            {
                return true;
            }
            var (code, message) = AwsXml.ParseError(await response.Content.ReadAsStringAsync(timeout.Token));
            if (code == "DryRunOperation")
            {
                return true;   // EC2 answers a dry run that would have succeeded with this error
            }
            throw ToException(code, message ?? $"HTTP {(int)response.StatusCode}", identity, region, response.Headers.RetryAfter);
        }
        catch (Exception exception) when (
            exception is HttpRequestException || (exception is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            throw new ProblemException(new Problem(ProblemCatalog.Ec2Unreachable,
                $"EC2 at {endpoint.Authority} can't be reached to stop the instance: {ExceptionMapping.DescribeCause(exception)}.",
                "Check the instance's network (a private subnet needs a NAT gateway or a VPC endpoint for ec2). " +
                ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    private static HttpRequestMessage CreateRequest(Uri endpoint, InstanceIdentity identity, bool isDryRun)
    {
        var form = $"Action=StopInstances&Version={Ec2ClientConfig.ApiVersion}&InstanceId.1={Uri.EscapeDataString(identity.InstanceId)}" +
            (isDryRun ? "&DryRun=true" : "");
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new StringContent(form) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded") { CharSet = "utf-8" };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        return request;
    }

    private ProblemException ToException(
        string? code, string message, InstanceIdentity identity, RegionEndpoint region, RetryConditionHeaderValue? retryAfter)
    {
        var id = identity.InstanceId;
        var arn = $"arn:{region.PartitionName}:ec2:{identity.Region}:{identity.AccountId}:instance/{id}";
        return new ProblemException(code switch
        {
            "OperationNotPermitted" => new Problem(ProblemCatalog.Ec2StopProtected,
                $"The instance {id} has stop protection: {message.TrimEnd('.')}.",
                $"Remove it with 'aws ec2 modify-instance-attribute --instance-id {id} --no-disable-api-stop --region {identity.Region}', " +
                "or set idle to null."),
            "UnsupportedOperation" => new Problem(ProblemCatalog.Ec2StopUnsupported,
                $"EC2 can't stop the instance {id}: {message.TrimEnd('.')}.",
                "EC2 can only stop instances with an EBS root volume, and Spot instances only if their request is persistent. " +
                "Otherwise set idle to null."),
            _ => AwsProblems.From(code, message, $"stop the instance {id}", Action, resource: arn) with
            {
                RetryAfter = RetryAfter.Parse(retryAfter, time.GetUtcNow()),
            },
        });
    }
}
