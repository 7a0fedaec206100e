using System.Net;
using System.Net.Http.Headers;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using Polly;
using Polly.Retry;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Aws;

/// <summary>The records of one name, by Route 53's API, signed by the SDK's signer.</summary>
/// <remarks>That a change has reached all name servers (INSYNC, within a minute) is not waited for: nothing here depends on it.</remarks>
internal sealed class Route53(AwsAccount account, TimeProvider time)
{
    /// <summary>The code of a change that Route 53 understood and does not make.</summary>
    public const string NotMade = "dns-refused";

    private const string List = "route53:ListResourceRecordSets";
    private const string Change = "route53:ChangeResourceRecordSets";

    // More than there can be of one name's addresses: at most 100 of each type.
    private const int AtOnce = 300;

    // Is an address of no kind, so a record that holds it is never made.
    private const string NoAddress = "no address";
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(15);
    private static readonly string[] Passing = ["Throttling", "ThrottlingException", "PriorRequestNotComplete"];

    // Five calls a second are all that an account has, and one change at a time all that a zone takes: others may be at it.
    private readonly ResiliencePipeline<Answer> _calls = new ResiliencePipelineBuilder<Answer> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<Answer>
        {
            ShouldHandle = new PredicateBuilder<Answer>().HandleResult(answer => answer.Status >= HttpStatusCode.InternalServerError || Passing.Contains(answer.Code)),
            MaxRetryAttempts = 3,
            Delay = TimeSpan.FromMilliseconds(500),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .AddTimeout(AnswerWithin)
        .Build();

    /// <summary>Of the name, whatever their type; and of names that come after it.</summary>
    /// <exception cref="ProblemException">They can't be had; says why.</exception>
    public async Task<IReadOnlyList<RecordSet>> ListAsync(DnsConfig dns, CancellationToken stopping)
    {
        var body = await CallAsync(dns, HttpMethod.Get, $"rrset?maxitems={AtOnce}&name={dns.Name}", null, $"looking up {dns.Name} in the hosted zone {dns.Zone}", List, "", stopping);
        try
        {
            return Route53Xml.Sets(body);
        }
        catch (XmlException e)
        {
            throw new ProblemException(new Problem("dns-garbled", $"What Route 53 answers about {dns.Name} can't be understood.", Problems.TriesAgain), e);
        }
    }

    /// <summary>Writes the record that holds an address, in the place of the one that is there.</summary>
    /// <exception cref="ProblemException">It is not written, as far as is known; says why.</exception>
    public Task PointAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) =>
        ChangeAsync(dns, [("UPSERT", Of(dns, address))], $"pointing {dns.Name} at {address}", stopping);

    /// <summary>Deletes the record that holds an address, if it holds that and nothing else: Route 53 itself compares, so nothing comes in between.</summary>
    /// <exception cref="ProblemException">It is not deleted, as far as is known; <see cref="NotMade"/>: it holds something else, or is gone.</exception>
    public Task TakeAwayAsync(DnsConfig dns, IPAddress address, CancellationToken stopping) =>
        ChangeAsync(dns, [("DELETE", Of(dns, address))], $"deleting the {RecordSet.TypeOf(address)} record of {dns.Name}", stopping);

    /// <summary>Asks for a change that can't be made, which tells whether it might be: Route 53 looks at permissions before it looks at values. Nothing is changed.</summary>
    /// <param name="dns">Which name; and whether it is to be deleted some time.</param>
    /// <param name="types">Of the records that would be written.</param>
    /// <param name="stopping">Ends it.</param>
    /// <exception cref="ProblemException">It might not, or can't be asked; says why.</exception>
    public async Task TryAsync(DnsConfig dns, IEnumerable<string> types, CancellationToken stopping)
    {
        string[] actions = dns.OnStop == DnsOnStop.Delete ? ["UPSERT", "DELETE"] : ["UPSERT"];
        try
        {
            await ChangeAsync(dns, [.. types.SelectMany(type => actions.Select(action => (action, new RecordSet(dns.Name, type, dns.Ttl, [NoAddress]))))], $"changing the records of {dns.Name}", stopping);
        }
        catch (ProblemException e) when (e.Problem.Code == NotMade)
        {
            return;   // the good answer
        }
    }

    private static RecordSet Of(DnsConfig dns, IPAddress address) => new(dns.Name, RecordSet.TypeOf(address), dns.Ttl, [address.ToString()]);

    private Task<string> ChangeAsync(DnsConfig dns, IReadOnlyList<(string Action, RecordSet Set)> changes, string doing, CancellationToken stopping)
    {
        var types = string.Join(" and ", changes.Select(change => change.Set.Type).Distinct());
        var actions = string.Join(" and ", changes.Select(change => change.Action).Distinct());
        return CallAsync(dns, HttpMethod.Post, "rrset/", Route53Xml.Change("RagAgent", changes), doing, Change, $" (for the name {dns.Name}, the type {types}, the action {actions})", stopping);
    }

    private async Task<string> CallAsync(DnsConfig dns, HttpMethod method, string path, byte[]? body, string doing, string action, string narrowed, CancellationToken stopping)
    {
        var service = new Route53ClientConfig(await account.RegionAsync(stopping));
        var address = new Uri(service.Address, $"/{Route53ClientConfig.ApiVersion}/hostedzone/{dns.Zone}/{path}");
        return await account.CallAsync(async credentials =>
        {
            var answer = await AskAsync(credentials, service, method, address, body, doing, stopping);
            var on = $"arn:{service.RegionEndpoint.PartitionName}:route53:::hostedzone/{dns.Zone}{narrowed}";
            return answer.IsGood ? answer.Body : throw new ProblemException(Refusal(answer, dns, doing, action, on) with { RetryAfter = answer.RetryAfter });
        }, stopping);
    }

    private async Task<Answer> AskAsync(AWSCredentials credentials, Route53ClientConfig service, HttpMethod method, Uri address, byte[]? body, string doing, CancellationToken stopping)
    {
        using var http = new HttpClient(new SigV4SigningHandler(credentials, service.SigningRegion, service.RegionEndpointServiceName, new SocketsHttpHandler())) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            return await _calls.ExecuteAsync(async token =>
            {
                using var request = Request(method, address, body);
                using var response = await http.SendAsync(request, token);
                var text = await response.Content.ReadAsStringAsync(token);
                var (code, message) = response.IsSuccessStatusCode ? (null, null) : AwsXml.Error(text);
                return new Answer(response.StatusCode, text, code, message, RetryAfter.Parse(response.Headers.RetryAfter, time.GetUtcNow()));
            }, stopping);
        }
        catch (Exception e) when (e is HttpRequestException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new ProblemException(new Problem("dns-unreachable", $"Route 53 at {address.Authority} can't be reached for {doing}: {Problems.DescribeCause(e)}.",
                $"Check the instance's way to the internet: route table, security group's outgoing rules (443), DNS. {Problems.TriesAgain}"), e);
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, Uri address, byte[]? body)
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

    private static Problem Refusal(Answer answer, DnsConfig dns, string doing, string action, string on)
    {
        var said = (answer.Message ?? $"HTTP {(int)answer.Status}").Trim('[', ']').TrimEnd('.', ' ');
        return answer.Code switch
        {
            "NoSuchHostedZone" => new Problem("dns-zone-missing", $"There is no hosted zone {dns.Zone} in the account of the credentials, so {dns.Name} can't be pointed at this machine.",
                $"Set dns.zone to the id of the zone that the name is in ('aws route53 list-hosted-zones-by-name --dns-name {dns.Name.Split('.', 2)[1]}'); it must be in the instance's own account."),
            "InvalidChangeBatch" when said.Contains("not permitted in zone", StringComparison.Ordinal) => new Problem("dns-outside-zone", $"{dns.Name} is no name of the hosted zone {dns.Zone}: {said}.",
                "Correct dns.name, or set dns.zone to the zone that the name is in; 'systemctl reload ragagent' then takes the file."),
            "InvalidChangeBatch" or "InvalidInput" => new Problem(NotMade, $"Route 53 refuses {doing}: {said}.",
                $"Look at the records of {dns.Name} in the hosted zone {dns.Zone}. {Problems.TriesAgain}"),
            _ => AwsProblems.From(answer.Code, answer.Message ?? said, doing, action, on),
        };
    }

    private sealed record Answer(HttpStatusCode Status, string Body, string? Code, string? Message, TimeSpan? RetryAfter)
    {
        public bool IsGood => (int)Status is >= 200 and < 300;
    }
}
