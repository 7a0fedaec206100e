using System.Net.Http.Headers;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Aws;

/// <summary>EC2's StopInstances for this very instance, signed by the SDK's signer.</summary>
/// <remarks>Not a power-off: an instance whose shutdown behaviour is "terminate" would be gone for good.</remarks>
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

    /// <summary>Asks whether it would be stopped; nothing is.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="ProblemException">It would not, or can't be asked; says why.</exception>
    public async Task<string> DryRunStopAsync(CancellationToken stopping)
    {
        var identity = await metadata.IdentityAsync(stopping);
        await context.CallAsync(credentials => SendStopInstancesAsync(identity, credentials, isDryRun: true, stopping), stopping);
        return identity.InstanceId;
    }

    private async Task<bool> SendStopInstancesAsync(InstanceIdentity identity, AWSCredentials credentials, bool isDryRun, CancellationToken stopping)
    {
        // Where the instance is, whatever region the agent reads its parameters in.
        var region = RegionEndpoint.GetBySystemName(identity.Region);
        var endpoint = new Ec2ClientConfig(region).EndpointUri;
        using var http = new HttpClient(new SigV4SigningHandler(credentials, region, "ec2", new SocketsHttpHandler())) { Timeout = Timeout.InfiniteTimeSpan };
        using var timeout = new CancellationTokenSource(ResponseTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            using var request = CreateRequest(endpoint, identity, isDryRun);
            using var response = await http.SendAsync(request, linked.Token);
            if (response.IsSuccessStatusCode)
            {
                return true;
            }
            var (code, message) = AwsXml.ParseError(await response.Content.ReadAsStringAsync(linked.Token));
            // Of a call that only tries, the good answer is an error.
            return code == "DryRunOperation" ? true : throw ToException(code, message ?? $"HTTP {(int)response.StatusCode}", identity, region, response.Headers.RetryAfter);
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            throw new ProblemException(new Problem(ProblemCatalog.Ec2Unreachable, $"EC2 at {endpoint.Authority} can't be reached to stop the instance: {ExceptionMapping.DescribeCause(exception)}.",
                $"Check the instance's network (a private subnet needs a NAT gateway or a VPC endpoint for ec2). {ExceptionMapping.RetriesAutomatically}"), exception);
        }
    }

    private static HttpRequestMessage CreateRequest(Uri endpoint, InstanceIdentity identity, bool isDryRun)
    {
        var form = $"Action=StopInstances&Version={Ec2ClientConfig.ApiVersion}&InstanceId.1={Uri.EscapeDataString(identity.InstanceId)}{(isDryRun ? "&DryRun=true" : "")}";
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new StringContent(form) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded") { CharSet = "utf-8" };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        return request;
    }

    private ProblemException ToException(string? code, string message, InstanceIdentity identity, RegionEndpoint region, RetryConditionHeaderValue? retryAfter) => new(code switch
    {
        "OperationNotPermitted" => new Problem(ProblemCatalog.Ec2StopProtected, $"The instance {identity.InstanceId} is protected against being stopped: {message.TrimEnd('.')}.",
            $"Take the protection off with 'aws ec2 modify-instance-attribute --instance-id {identity.InstanceId} --no-disable-api-stop --region {identity.Region}', or set idle to null."),
        "UnsupportedOperation" => new Problem(ProblemCatalog.Ec2StopUnsupported, $"EC2 can't stop the instance {identity.InstanceId}: {message.TrimEnd('.')}.",
            "Only an instance with an EBS root volume can be stopped, and a Spot instance only when its request is persistent. Otherwise set idle to null."),
        _ => AwsProblems.From(code, message, $"stopping the instance {identity.InstanceId}", Action, resource: $"arn:{region.PartitionName}:ec2:{identity.Region}:{identity.AccountId}:instance/{identity.InstanceId}") with
        {
            RetryAfter = RetryAfter.Parse(retryAfter, time.GetUtcNow()),
        },
    });
}
