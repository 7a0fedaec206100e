using System.Net;
using System.Net.Http.Headers;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using Polly;
using Polly.Retry;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics;

namespace RagAgent.Aws.Dns;

/// <summary>Reads and changes the records of one name with Route 53's API, signed by the SDK's signer.</summary>
/// <remarks>
/// Doesn't wait until a change has reached all name servers (INSYNC, within a minute), because nothing here depends on it.
/// </remarks>
internal sealed class Route53Client(AwsContext context, TimeProvider time)
{
    /// <summary>The kind of a change that Route 53 understood but refused.</summary>
    public static readonly ProblemKind ChangeRefusedCode = ProblemCatalog.DnsRefused;

    private const string ListAction = "route53:ListResourceRecordSets";
    private const string ChangeAction = "route53:ChangeResourceRecordSets";

    // More than one name can have: at most 100 of each type.
    private const int MaxItems = 300;

    // Not an address, so Route 53 never creates a record with it.
    private const string InvalidAddress = "no address";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);
    private static readonly string[] TransientErrors = ["Throttling", "ThrottlingException", "PriorRequestNotComplete"];

    // An account may make five calls per second, and a zone accepts one change at a time. Others may use them too.
    private readonly ResiliencePipeline<ApiResponse> _pipeline = new ResiliencePipelineBuilder<ApiResponse> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<ApiResponse>
        {
            ShouldHandle = new PredicateBuilder<ApiResponse>().HandleResult(response =>
                response.Status >= HttpStatusCode.InternalServerError || TransientErrors.Contains(response.Code)),
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromMilliseconds(500),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .AddTimeout(ResponseTimeout)
        .Build();

    /// <summary>Lists the name's records of all types, and records of names that sort after it.</summary>
    /// <exception cref="ProblemException">The records can't be read. The problem says why.</exception>
    public async Task<IReadOnlyList<ResourceRecordSet>> ListAsync(DnsConfig dns, CancellationToken stopping)
    {
        var attempt = new Attempt($"look up {dns.Name} in the hosted zone {dns.Zone}", ListAction, Conditions: "");
        var body = await CallAsync(dns, HttpMethod.Get, $"rrset?maxitems={MaxItems}&name={dns.Name}", null, attempt, stopping);
        try
        {
            return Route53Xml.ParseRecordSets(body);
        }
        catch (XmlException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.DnsGarbled,
                $"Route 53's response about {dns.Name} is not valid.", ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    /// <summary>Writes the record for an address. Replaces an existing one.</summary>
    /// <exception cref="ProblemException">The record was not written, as far as is known. The problem says why.</exception>
    public Task UpsertAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) =>
        ChangeAsync(dns, [("UPSERT", RecordSetFor(dns, address))], $"point {dns.Name} to {address}", stopping);

    /// <summary>
    /// Deletes the record for an address, if it has that address and nothing else. Route 53 compares and deletes atomically.
    /// </summary>
    /// <exception cref="ProblemException">
    /// The record was not deleted, as far as is known. <see cref="ChangeRefusedCode"/> if it has another value or is gone.
    /// </exception>
    public Task DeleteAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) => ChangeAsync(
        dns,
        [("DELETE", RecordSetFor(dns, address))],
        $"delete the {ResourceRecordSet.RecordTypeOf(address)} record of {dns.Name}",
        stopping);

    /// <summary>Checks the permissions for a change without making one.</summary>
    /// <remarks>Requests a change with an invalid value: Route 53 checks permissions before values.</remarks>
    /// <param name="dns">The name, and whether its record will ever be deleted.</param>
    /// <param name="types">The types of the records that would be written.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <exception cref="ProblemException">The change is not allowed, or Route 53 can't be reached.</exception>
    public async Task DryRunAsync(DnsConfig dns, IEnumerable<string> types, CancellationToken stopping)
    {
        string[] actions = dns.OnStop == DnsOnStop.Delete ? ["UPSERT", "DELETE"] : ["UPSERT"];
        var changes =
            from type in types
            from action in actions
            select (action, new ResourceRecordSet(dns.Name, type, dns.Ttl, [InvalidAddress]));
        try
        {
            await ChangeAsync(dns, [.. changes], $"change the records of {dns.Name}", stopping);
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.DnsRefused)
        {
            return;   // refused for its value, so the permission is there
        }
    }

    private static ResourceRecordSet RecordSetFor(DnsConfig dns, IPAddress address) =>
        new(dns.Name, ResourceRecordSet.RecordTypeOf(address), dns.Ttl, [address.ToString()]);

    private Task<string> ChangeAsync(
        DnsConfig dns, IReadOnlyList<(string Action, ResourceRecordSet Set)> changes, string what, CancellationToken stopping)
    {
        var types = string.Join(" and ", changes.Select(change => change.Set.Type).Distinct());
        var actions = string.Join(" and ", changes.Select(change => change.Action).Distinct());
        var attempt = new Attempt(what, ChangeAction, $" (for the name {dns.Name}, type {types}, action {actions})");
        return CallAsync(dns, HttpMethod.Post, "rrset/", Route53Xml.BuildChangeRequest("RagAgent", changes), attempt, stopping);
    }

    private async Task<string> CallAsync(
        DnsConfig dns, HttpMethod method, string path, byte[]? body, Attempt attempt, CancellationToken stopping)
    {
        var clientConfig = new Route53ClientConfig(await context.RegionAsync(stopping));
        var address = new Uri(clientConfig.EndpointUri, $"/{Route53ClientConfig.ApiVersion}/hostedzone/{dns.Zone}/{path}");
        return await context.CallAsync(async credentials =>
        {
            var response = await SendAsync(credentials, clientConfig, () => CreateRequest(method, address, body), attempt, stopping);
            if (response.IsSuccess)
            {
                return response.Body;
            }
            var zoneArn = $"arn:{clientConfig.RegionEndpoint.PartitionName}:route53:::hostedzone/{dns.Zone}";
            throw new ProblemException(ToProblem(response, dns, attempt, zoneArn) with { RetryAfter = response.RetryAfter });
        }, stopping);
    }

    private async Task<ApiResponse> SendAsync(
        AWSCredentials credentials,
        Route53ClientConfig clientConfig,
        Func<HttpRequestMessage> createRequest,
        Attempt attempt,
        CancellationToken stopping)
    {
        var signing = new SigV4SigningHandler(
            credentials, clientConfig.SigningRegion, clientConfig.RegionEndpointServiceName, new SocketsHttpHandler());
        using var http = new HttpClient(signing) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            return await _pipeline.ExecuteAsync(async token =>
            {
                using var request = createRequest();
                using var response = await http.SendAsync(request, token);
                var text = await response.Content.ReadAsStringAsync(token);
                var (code, message) = response.IsSuccessStatusCode ? (null, null) : AwsXml.ParseError(text);
                var retryAfter = RetryAfter.Parse(response.Headers.RetryAfter, time.GetUtcNow());
                return new ApiResponse(response.StatusCode, text, code, message, retryAfter);
            }, stopping);
        }
        catch (Exception exception) when (exception is HttpRequestException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.DnsUnreachable,
                $"Route 53 at {clientConfig.EndpointUri.Authority} can't be reached to {attempt.What}: " +
                $"{ExceptionMapping.DescribeCause(exception)}.",
                "Check the instance's route to the internet: route table, security group's outbound rules (port 443), DNS. " +
                ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    private static HttpRequestMessage CreateRequest(HttpMethod method, Uri address, byte[]? body)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        }
        return request;
    }

    private static Problem ToProblem(ApiResponse response, DnsConfig dns, Attempt attempt, string zoneArn)
    {
        var message = (response.Message ?? $"HTTP {(int)response.Status}").Trim('[', ']').TrimEnd('.', ' ');
        return response.Code switch
        {
            "NoSuchHostedZone" => new Problem(ProblemCatalog.DnsZoneMissing,
                $"The hosted zone {dns.Zone} does not exist in the credentials' account, so {dns.Name} can't point to this machine.",
                "Set dns.zone to the ID of the name's zone ('aws route53 list-hosted-zones-by-name --dns-name " +
                $"{dns.Name.Split('.', 2)[1]}'). The zone must be in the instance's own account."),
            "InvalidChangeBatch" when message.Contains("not permitted in zone", StringComparison.Ordinal) => new Problem(
                ProblemCatalog.DnsOutsideZone,
                $"{dns.Name} is not in the hosted zone {dns.Zone}: {message}.",
                "Correct dns.name, or set dns.zone to the zone that contains the name. Then run 'systemctl reload ragagent'."),
            "InvalidChangeBatch" or "InvalidInput" => new Problem(ChangeRefusedCode,
                $"Route 53 refused to {attempt.What}: {message}.",
                $"Check the records of {dns.Name} in the hosted zone {dns.Zone}. {ExceptionMapping.RetriesAutomatically}"),
            _ => AwsProblems.From(
                response.Code, response.Message ?? message, attempt.What, attempt.IamAction, zoneArn + attempt.Conditions),
        };
    }

    /// <param name="What">A verb phrase for the operator.</param>
    /// <param name="IamAction">The permission that the call needs.</param>
    /// <param name="Conditions">What a policy may limit it to, in parentheses after the ARN.</param>
    private sealed record Attempt(string What, string IamAction, string Conditions);

    private sealed record ApiResponse(
        HttpStatusCode Status, string Body, string? Code, string? Message, TimeSpan? RetryAfter)
    {
        public bool IsSuccess => (int)Status is >= 200 and < 300;
    }
}
