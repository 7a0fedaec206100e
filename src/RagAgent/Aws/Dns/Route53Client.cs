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

/// <summary>The records of one name, by Route 53's API, signed by the SDK's signer.</summary>
/// <remarks>That a change has reached all name servers (INSYNC, within a minute) is not waited for: nothing here depends on it.</remarks>
internal sealed class Route53Client(AwsContext context, TimeProvider time)
{
    /// <summary>The code of a change that Route 53 understood and does not make.</summary>
    public static readonly ProblemKind ChangeRefusedCode = ProblemCatalog.DnsRefused;

    private const string ListAction = "route53:ListResourceRecordSets";
    private const string ChangeAction = "route53:ChangeResourceRecordSets";

    // More than there can be of one name's addresses: at most 100 of each type.
    private const int MaxItems = 300;

    // Is an address of no kind, so a record that holds it is never made.
    private const string InvalidAddress = "no address";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);
    private static readonly string[] TransientErrors = ["Throttling", "ThrottlingException", "PriorRequestNotComplete"];

    // Five calls a second are all that an account has, and one change at a time all that a zone takes: others may be at it.
    private readonly ResiliencePipeline<ApiResponse> _pipeline = new ResiliencePipelineBuilder<ApiResponse> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<ApiResponse>
        {
            ShouldHandle = new PredicateBuilder<ApiResponse>().HandleResult(response => response.Status >= HttpStatusCode.InternalServerError || TransientErrors.Contains(response.Code)),
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromMilliseconds(500),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .AddTimeout(ResponseTimeout)
        .Build();

    /// <summary>Of the name, whatever their type; and of names that come after it.</summary>
    /// <exception cref="ProblemException">They can't be had; says why.</exception>
    public async Task<IReadOnlyList<ResourceRecordSet>> ListAsync(DnsConfig dns, CancellationToken stopping)
    {
        var body = await CallAsync(dns, HttpMethod.Get, $"rrset?maxitems={MaxItems}&name={dns.Name}", null, $"looking up {dns.Name} in the hosted zone {dns.Zone}", ListAction, "", stopping);
        try
        {
            return Route53Xml.ParseRecordSets(body);
        }
        catch (XmlException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.DnsGarbled, $"What Route 53 answers about {dns.Name} can't be understood.", ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    /// <summary>Writes the record that holds an address, in the place of the one that is there.</summary>
    /// <exception cref="ProblemException">It is not written, as far as is known; says why.</exception>
    public Task UpsertAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) =>
        ChangeAsync(dns, [("UPSERT", RecordSetFor(dns, address))], $"pointing {dns.Name} at {address}", stopping);

    /// <summary>Deletes the record that holds an address, if it holds that and nothing else: Route 53 itself compares, so nothing comes in between.</summary>
    /// <exception cref="ProblemException">It is not deleted, as far as is known; <see cref="ChangeRefusedCode"/>: it holds something else, or is gone.</exception>
    public Task DeleteAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) =>
        ChangeAsync(dns, [("DELETE", RecordSetFor(dns, address))], $"deleting the {ResourceRecordSet.RecordTypeOf(address)} record of {dns.Name}", stopping);

    /// <summary>Asks for a change that can't be made, which tells whether it might be: Route 53 looks at permissions before it looks at values. Nothing is changed.</summary>
    /// <param name="dns">Which name; and whether it is to be deleted some time.</param>
    /// <param name="types">Of the records that would be written.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="ProblemException">It might not, or can't be asked; says why.</exception>
    public async Task DryRunAsync(DnsConfig dns, IEnumerable<string> types, CancellationToken stopping)
    {
        string[] actions = dns.OnStop == DnsOnStop.Delete ? ["UPSERT", "DELETE"] : ["UPSERT"];
        try
        {
            await ChangeAsync(dns, [.. types.SelectMany(type => actions.Select(action => (action, new ResourceRecordSet(dns.Name, type, dns.Ttl, [InvalidAddress]))))], $"changing the records of {dns.Name}", stopping);
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.DnsRefused)
        {
            return;   // the good answer
        }
    }

    private static ResourceRecordSet RecordSetFor(DnsConfig dns, IPAddress address) => new(dns.Name, ResourceRecordSet.RecordTypeOf(address), dns.Ttl, [address.ToString()]);

    private Task<string> ChangeAsync(DnsConfig dns, IReadOnlyList<(string Action, ResourceRecordSet Set)> changes, string attempt, CancellationToken stopping)
    {
        var types = string.Join(" and ", changes.Select(change => change.Set.Type).Distinct());
        var actions = string.Join(" and ", changes.Select(change => change.Action).Distinct());
        return CallAsync(dns, HttpMethod.Post, "rrset/", Route53Xml.BuildChangeRequest("RagAgent", changes), attempt, ChangeAction, $" (for the name {dns.Name}, the type {types}, the action {actions})", stopping);
    }

    private async Task<string> CallAsync(DnsConfig dns, HttpMethod method, string path, byte[]? body, string attempt, string action, string conditions, CancellationToken stopping)
    {
        var clientConfig = new Route53ClientConfig(await context.RegionAsync(stopping));
        var address = new Uri(clientConfig.EndpointUri, $"/{Route53ClientConfig.ApiVersion}/hostedzone/{dns.Zone}/{path}");
        return await context.CallAsync(async credentials =>
        {
            var response = await SendAsync(credentials, clientConfig, method, address, body, attempt, stopping);
            var resource = $"arn:{clientConfig.RegionEndpoint.PartitionName}:route53:::hostedzone/{dns.Zone}{conditions}";
            return response.IsSuccess ? response.Body : throw new ProblemException(ToProblem(response, dns, attempt, action, resource) with { RetryAfter = response.RetryAfter });
        }, stopping);
    }

    private async Task<ApiResponse> SendAsync(AWSCredentials credentials, Route53ClientConfig clientConfig, HttpMethod method, Uri address, byte[]? body, string attempt, CancellationToken stopping)
    {
        using var http = new HttpClient(new SigV4SigningHandler(credentials, clientConfig.SigningRegion, clientConfig.RegionEndpointServiceName, new SocketsHttpHandler())) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            return await _pipeline.ExecuteAsync(async token =>
            {
                using var request = CreateRequest(method, address, body);
                using var response = await http.SendAsync(request, token);
                var text = await response.Content.ReadAsStringAsync(token);
                var (code, message) = response.IsSuccessStatusCode ? (null, null) : AwsXml.ParseError(text);
                return new ApiResponse(response.StatusCode, text, code, message, RetryAfter.Parse(response.Headers.RetryAfter, time.GetUtcNow()));
            }, stopping);
        }
        catch (Exception exception) when (exception is HttpRequestException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.DnsUnreachable, $"Route 53 at {address.Authority} can't be reached for {attempt}: {ExceptionMapping.DescribeCause(exception)}.",
                $"Check the instance's way to the internet: route table, security group's outgoing rules (443), DNS. {ExceptionMapping.RetriesAutomatically}"), exception);
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

    private static Problem ToProblem(ApiResponse response, DnsConfig dns, string attempt, string action, string resource)
    {
        var message = (response.Message ?? $"HTTP {(int)response.Status}").Trim('[', ']').TrimEnd('.', ' ');
        return response.Code switch
        {
            "NoSuchHostedZone" => new Problem(ProblemCatalog.DnsZoneMissing, $"There is no hosted zone {dns.Zone} in the account of the credentials, so {dns.Name} can't be pointed at this machine.",
                $"Set dns.zone to the id of the zone that the name is in ('aws route53 list-hosted-zones-by-name --dns-name {dns.Name.Split('.', 2)[1]}'); it must be in the instance's own account."),
            "InvalidChangeBatch" when message.Contains("not permitted in zone", StringComparison.Ordinal) => new Problem(ProblemCatalog.DnsOutsideZone, $"{dns.Name} is no name of the hosted zone {dns.Zone}: {message}.",
                "Correct dns.name, or set dns.zone to the zone that the name is in; 'systemctl reload ragagent' then takes the file."),
            "InvalidChangeBatch" or "InvalidInput" => new Problem(ChangeRefusedCode, $"Route 53 refuses {attempt}: {message}.",
                $"Look at the records of {dns.Name} in the hosted zone {dns.Zone}. {ExceptionMapping.RetriesAutomatically}"),
            _ => AwsProblems.From(response.Code, response.Message ?? message, attempt, action, resource),
        };
    }

    private sealed record ApiResponse(HttpStatusCode Status, string Body, string? Code, string? Message, TimeSpan? RetryAfter)
    {
        public bool IsSuccess => (int)Status is >= 200 and < 300;
    }
}
