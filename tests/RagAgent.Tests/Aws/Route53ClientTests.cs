using System.Net;
using Microsoft.AspNetCore.Http;
using RagAgent.Aws.Dns;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

[Collection(EnvironmentVariableCollection.Name)]
public sealed class Route53ClientTests : IAsyncLifetime
{
    private const string Arn = "arn:aws:route53:::hostedzone/Z1";
    private static readonly IPAddress InstanceAddress = IPAddress.Parse(DnsScenario.InstanceAddress);
    private DnsScenario _scenario = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _scenario = await DnsScenario.StartAsync(DnsScenario.KeepOnStop);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Records_are_listed_by_zone_and_name_with_a_signature_for_us_east_1()
    {
        _scenario.Records["A"] = DnsScenario.RecordXml("198.51.100.1");

        Assert.Equal("198.51.100.1", Assert.Single(Assert.Single(await _scenario.Route53.ListAsync(DnsScenario.KeepOnStop, TestCancellation)).Values));

        var context = _scenario.Requests[^1];
        Assert.Equal("GET /2013-04-01/hostedzone/Z1/rrset?maxitems=300&name=rag.example.com", context.ToString());
        Assert.Contains("/us-east-1/route53/aws4_request", context.Headers["Authorization"], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_address_is_written_as_a_record_of_its_type()
    {
        await _scenario.Route53.UpsertAsync(DnsScenario.KeepOnStop, InstanceAddress, TestCancellation);
        await _scenario.Route53.UpsertAsync(DnsScenario.KeepOnStop, IPAddress.Parse("2001:db8::7"), TestCancellation);

        Assert.Equal(["A", "AAAA"], _scenario.Records.Keys);
        Assert.Equal(["UPSERT 203.0.113.7", "UPSERT 2001:db8::7"], _scenario.Route53Requests);
        Assert.Equal(("POST /2013-04-01/hostedzone/Z1/rrset/", "application/xml"), (_scenario.Requests[^1].ToString(), _scenario.Requests[^1].Headers["Content-Type"]));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(
        403, "AccessDenied",
        "User: arn:role is not authorized to perform: route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1",
        "aws-denied",
        "AWS denied the request to point rag.example.com to 203.0.113.7: " +
        "User: arn:role is not authorized to perform: route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1.",
        $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} (for the name rag.example.com, type A, action UPSERT). No restart is needed.")]
    [InlineData(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1", "dns-zone-missing",
        "The hosted zone Z1 does not exist in the credentials' account, so rag.example.com can't point to this machine.",
        "Set dns.zone to the ID of the name's zone ('aws route53 list-hosted-zones-by-name --dns-name example.com'). The zone must be in the instance's own account.")]
    [InlineData(400, "InvalidChangeBatch", "[RRSet with DNS name rag.example.com. is not permitted in zone example.org.]", "dns-outside-zone",
        "rag.example.com is not in the hosted zone Z1: RRSet with DNS name rag.example.com. is not permitted in zone example.org.",
        "Correct dns.name, or set dns.zone to the zone that contains the name. Then run 'systemctl reload ragagent'.")]
    [InlineData(
        400, "InvalidChangeBatch",
        "[RRSet of type A with DNS name rag.example.com. is not permitted because a conflicting RRSet of type CNAME exists]",
        "dns-refused",
        "Route 53 refused to point rag.example.com to 203.0.113.7: " +
        "RRSet of type A with DNS name rag.example.com. is not permitted because a conflicting RRSet of type CNAME exists.",
        "Check the records of rag.example.com in the hosted zone Z1. " + ExceptionMapping.RetriesAutomatically)]
    [InlineData(
        403, "ExpiredToken", "The security token included in the request is expired", "aws-credentials-expired",
        "AWS refused to point rag.example.com to 203.0.113.7: the credentials have expired.",
        "The agent requests new ones. If this persists, check the clock ('timedatectl').")]
    public async Task A_refusal_of_Route_53_is_reported_with_a_remedy(
        int status, string code, string message, string problem, string what, string remedy)
    {
        _scenario.Intercept = context => DnsScenario.RespondWithErrorAsync(context, status, code, message);

        Assert.Equal(
            new Problem(ProblemCatalog.Find(problem), what, remedy),
            await AssertProblem.ThrownAsync(() =>
                _scenario.Route53.UpsertAsync(DnsScenario.KeepOnStop, InstanceAddress, TestCancellation)));
        Assert.Single(_scenario.Route53Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_missing_permission_to_list_records_is_named()
    {
        _scenario.Intercept = context => DnsScenario.RespondWithErrorAsync(context, 403, "AccessDenied", "no");

        Assert.Equal(
            "Allow the instance role route53:ListResourceRecordSets on arn:aws:route53:::hostedzone/Z1. No restart is needed.",
            (await AssertProblem.ThrownAsync(() => _scenario.Route53.ListAsync(DnsScenario.KeepOnStop, TestCancellation))).Remedy);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(400, "Throttling")]
    [InlineData(400, "PriorRequestNotComplete")]
    [InlineData(503, "ServiceUnavailable")]
    public async Task Transient_errors_of_Route_53_are_retried(int status, string code)
    {
        var refusals = 2;
        _scenario.Intercept = async context => refusals-- > 0 && await DnsScenario.RespondWithErrorAsync(context, status, code, "Rate exceeded");
        var point = _scenario.Route53.UpsertAsync(DnsScenario.KeepOnStop, InstanceAddress, TestCancellation);

        await _scenario.AdvanceUntilAsync(() => point.IsCompleted, TestCancellation, seconds: 0.1);

        await point;
        Assert.Equal(3, _scenario.Route53Requests.Length);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_persistent_error_of_Route_53_is_reported_after_four_attempts()
    {
        _scenario.Intercept = context => DnsScenario.RespondWithErrorAsync(context, 400, "PriorRequestNotComplete", "busy");
        var point = AssertProblem.ThrownAsync(
            () => _scenario.Route53.UpsertAsync(DnsScenario.KeepOnStop, InstanceAddress, TestCancellation));

        await _scenario.AdvanceUntilAsync(() => point.IsCompleted, TestCancellation, seconds: 0.1);

        Assert.Equal(("aws-throttled", 4), ((await point).Code, _scenario.Route53Requests.Length));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("<html>a proxy's page</html>")]
    [InlineData("")]
    public async Task A_response_that_is_not_from_Route_53_is_reported(string body)
    {
        _scenario.Intercept = async context =>
        {
            await context.Response.WriteAsync(body);
            return true;
        };

        Assert.Equal(
            new Problem(
                ProblemCatalog.DnsGarbled, "Route 53's response about rag.example.com is not valid.",
                ExceptionMapping.RetriesAutomatically),
            await AssertProblem.ThrownAsync(() => _scenario.Route53.ListAsync(DnsScenario.KeepOnStop, TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_Route_53_times_out()
    {
        _scenario.Intercept = async context =>
        {
            await TestServer.HangAsync(context);
            return true;
        };
        var list = AssertProblem.ThrownAsync(() => _scenario.Route53.ListAsync(DnsScenario.KeepOnStop, TestCancellation));

        await _scenario.AdvanceUntilAsync(() => list.IsCompleted, TestCancellation);

        Assert.Equal(
            (
                "dns-unreachable",
                $"Route 53 at {_scenario.Authority} can't be reached to look up rag.example.com in the hosted zone Z1: it did not answer in time."),
            (await list) is var problem ? (problem.Code, problem.What) : default);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_dry_run_requests_invalid_changes_and_changes_nothing()
    {
        await _scenario.Route53.DryRunAsync(DnsScenario.DeleteOnStop, ["A", "AAAA"], TestCancellation);

        Assert.Empty(_scenario.Records);
        var body = Assert.Single(_scenario.Requests, request => request.Method == "POST").Body;
        Assert.Equal(["UPSERT", "DELETE", "UPSERT", "DELETE"], System.Text.RegularExpressions.Regex.Matches(body, "<Action>(.*?)<").Select(match => match.Groups[1].Value));
        Assert.Equal(["A", "A", "AAAA", "AAAA"], System.Text.RegularExpressions.Regex.Matches(body, "<Type>(.*?)<").Select(match => match.Groups[1].Value));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_dry_run_reports_the_missing_permission_and_its_conditions()
    {
        _scenario.Intercept = context => DnsScenario.RespondWithErrorAsync(context, 403, "AccessDenied", "no");

        Assert.Equal(
            $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} " +
            "(for the name rag.example.com, type A and AAAA, action UPSERT and DELETE). No restart is needed.",
            (await AssertProblem.ThrownAsync(() => _scenario.Route53.DryRunAsync(DnsScenario.DeleteOnStop, ["A", "AAAA"], TestCancellation))).Remedy);
    }

    [Theory]
    [InlineData("eu-central-1", null, null, "https://route53.amazonaws.com/", "us-east-1")]
    [InlineData("cn-north-1", null, null, "https://route53.amazonaws.com.cn/", "cn-northwest-1")]
    [InlineData("us-gov-east-1", null, null, "https://route53.us-gov.amazonaws.com/", "us-gov-west-1")]
    [InlineData("us-iso-west-1", null, null, "https://route53.c2s.ic.gov/", "us-iso-east-1")]
    [InlineData("eu-central-1", "AWS_USE_FIPS_ENDPOINT", "true", "https://route53-fips.amazonaws.com/", "us-east-1")]
    [InlineData("cn-north-1", "AWS_USE_FIPS_ENDPOINT", "true", "https://route53.amazonaws.com.cn/", "cn-northwest-1")]
    [InlineData("eu-central-1", "AWS_USE_DUALSTACK_ENDPOINT", "true", "https://route53.global.api.aws/", "us-east-1")]
    [InlineData("eu-central-1", "AWS_ENDPOINT_URL", "http://127.0.0.1:1/", "http://127.0.0.1:1/", "us-east-1")]
    [InlineData("eu-central-1", "AWS_ENDPOINT_URL_ROUTE_53", "http://127.0.0.1:2/", "http://127.0.0.1:2/", "us-east-1")]
    public void Standard_settings_and_the_partition_determine_the_endpoint_of_Route_53(
        string region, string? variable, string? value, string address, string region53)
    {
        using var aws = variable is null ? new AwsEnvironment() : new AwsEnvironment((variable, value));
        var config = new Route53ClientConfig(Amazon.RegionEndpoint.GetBySystemName(region));

        Assert.Equal((address, region53), (config.EndpointUri.ToString(), config.SigningRegion.SystemName));
    }
}
