using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Aws;

/// <summary>The name follows the machine, and nothing waits for it.</summary>
[Collection(EnvironmentVariableCollection.Name)]
public sealed class DnsRecordUpdaterTests : IAsyncLifetime
{
    private const string PowerOffJob = "  151 poweroff.target                  start waiting\n  187 ragagent.service                 stop  running\n";
    private DnsScenario _scenario = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _scenario = await DnsScenario.StartAsync(DnsScenario.KeepOnStop);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_record_is_written_at_start_and_the_URL_is_logged()
    {
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");

        Assert.Equal(["GET", "UPSERT 203.0.113.7"], _scenario.Route53Requests);
        Assert.Equal(["rag.example.com now points to 203.0.113.7. The app is at http://rag.example.com/."], _scenario.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_correct_record_is_not_written_and_the_URL_is_logged()
    {
        _scenario.Records["A"] = DnsScenario.RecordXml("203.0.113.7");
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");

        Assert.Equal(["GET"], _scenario.Route53Requests);
        Assert.Equal(["rag.example.com already points to 203.0.113.7. The app is at http://rag.example.com/."], _scenario.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Route_53_is_not_called_again_while_the_address_stays_the_same()
    {
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");
        var lookups = LookupCount;

        await _scenario.AdvanceUntilAsync(() => LookupCount >= lookups + 3, TestCancellation, seconds: 30);

        Assert.Equal(["GET", "UPSERT 203.0.113.7"], _scenario.Route53Requests);
        Assert.Single(_scenario.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_changed_address_is_noticed_within_two_minutes()
    {
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");
        _scenario.Metadata["public-ipv4"] = "198.51.100.1";
        _scenario.Metadata["ipv6"] = "2001:db8::7";

        await Wait.UntilAsync(() => _scenario.Time.LastDelay == TimeSpan.FromMinutes(2), TestCancellation);
        _scenario.Time.Advance(TimeSpan.FromMinutes(2));
        await Wait.UntilAsync(() => PointsAtInstance() == "198.51.100.1, 2001:db8::7", TestCancellation);

        Assert.Equal(["GET", "UPSERT 203.0.113.7", "GET", "UPSERT 198.51.100.1", "UPSERT 2001:db8::7"], _scenario.Route53Requests);
        Assert.Equal("rag.example.com now points to 198.51.100.1 and 2001:db8::7. The app is at http://rag.example.com/.", _scenario.LogMessages[^1]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Metadata_that_can_not_be_read_for_a_while_changes_nothing()
    {
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");
        var lookups = LookupCount;

        _scenario.Metadata["public-ipv4"] = "";   // 500
        await _scenario.AdvanceUntilAsync(() => LookupCount >= lookups + 2, TestCancellation, seconds: 30);

        Assert.Empty(_scenario.Address.Current.Problems);
        Assert.Equal("203.0.113.7", PointsAtInstance());
        Assert.Single(_scenario.LogMessages);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_missing_public_address_is_logged_once_and_checked_again()
    {
        _scenario.Metadata.Clear();
        _scenario.Metadata["ipv6"] = "fd00:ec2::7";   // not reachable from the internet
        await RunAsync();
        await Wait.UntilAsync(() => _scenario.Address.Current.Problems.Count > 0, TestCancellation);

        var problem = Assert.Single(_scenario.Address.Current.Problems);
        Assert.Equal(("dns-no-address", "The instance has no public address, so rag.example.com can't point to it."), (problem.Code, problem.What));
        Assert.NotNull(_scenario.Address.Current.NextTry);
        var lookups = LookupCount;
        await _scenario.AdvanceUntilAsync(() => LookupCount >= lookups + 3, TestCancellation);
        Assert.Empty(_scenario.Route53Requests);
        Assert.Equal([problem.ToString()], _scenario.LogMessages);

        _scenario.Metadata["public-ipv4"] = "203.0.113.7";
        await _scenario.AdvanceUntilAsync(() => PointsAtInstance() == "203.0.113.7", TestCancellation);
        Assert.Empty(_scenario.Address.Current.Problems);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_machine_without_instance_metadata_is_reported()
    {
        using var variables = new EnvironmentVariables(("AWS_EC2_METADATA_DISABLED", "true"));
        await RunAsync();
        await Wait.UntilAsync(() => _scenario.Address.Current.Problems.Count > 0, TestCancellation);

        Assert.Equal("dns-no-metadata", Assert.Single(_scenario.Address.Current.Problems).Code);
        Assert.Equal("dns-no-metadata", (await _scenario.CheckAsync(TestCancellation)).Code);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_change_is_retried_and_its_success_is_logged()
    {
        _scenario.Intercept = async context => context.Request.Method == "POST" && await DnsScenario.RespondWithErrorAsync(context, 403, "AccessDenied", "no");
        await RunAsync();
        await Wait.UntilAsync(() => _scenario.Address.Current.Problems.Count > 0, TestCancellation);
        Assert.Equal("aws-denied", _scenario.Address.Current.Problems[0].Code);
        await _scenario.AdvanceUntilAsync(() => _scenario.Route53Requests.Length >= 6, TestCancellation);

        _scenario.Intercept = null;
        await _scenario.AdvanceUntilAsync(() => PointsAtInstance() == "203.0.113.7", TestCancellation);

        Assert.Empty(_scenario.Address.Current.Problems);
        Assert.Equal(2, _scenario.LogMessages.Count);   // one each, however often it was retried
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_foreign_record_is_left_unchanged_and_checked_again()
    {
        _scenario.Records["A"] = "<AliasTarget><DNSName>d1.cloudfront.net.</DNSName></AliasTarget>";
        await RunAsync();
        await Wait.UntilAsync(() => _scenario.Address.Current.Problems.Count > 0, TestCancellation);
        Assert.Equal("dns-name-taken", _scenario.Address.Current.Problems[0].Code);
        Assert.Equal(["GET"], _scenario.Route53Requests);

        _scenario.Records.Clear();
        await _scenario.AdvanceUntilAsync(() => PointsAtInstance() == "203.0.113.7", TestCancellation);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_name_that_another_machine_took_over_is_not_taken_back()
    {
        await RunAsync();
        await WaitUntilPointsAtAsync("203.0.113.7");
        var lookups = LookupCount;

        _scenario.Records["A"] = DnsScenario.RecordXml("198.51.100.99");
        await _scenario.AdvanceUntilAsync(() => LookupCount >= lookups + 3, TestCancellation, seconds: 30);

        Assert.Equal(DnsScenario.RecordXml("198.51.100.99"), _scenario.Records["A"]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_dns_no_request_is_sent()
    {
        await using var scenario = await DnsScenario.StartAsync(dns: null);
        await scenario.RunAsync(TestCancellation);
        await scenario.EndAsync();

        Assert.Empty(scenario.Requests);
        Assert.Equal("skipped", (await scenario.CheckAsync(TestCancellation)).Outcome.ToString().ToLowerInvariant());
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(DnsOnStop.Delete, PowerOffJob, false)]
    [InlineData(DnsOnStop.Delete, "  12 reboot.target start waiting\n", true)]
    [InlineData(DnsOnStop.Delete, "  12 ragagent.service stop running\n", true)]   // the agent alone
    [InlineData(DnsOnStop.Delete, "", true)]   // killed by hand
    [InlineData(DnsOnStop.Delete, null, true)]   // no systemd
    [InlineData(DnsOnStop.Keep, PowerOffJob, true)]
    public async Task The_record_is_deleted_only_at_power_off_and_only_with_onStop_delete(DnsOnStop onStop, string? jobs, bool stays)
    {
        await using var scenario = await DnsScenario.StartAsync(DnsScenario.KeepOnStop with { OnStop = onStop });
        await scenario.RunAsync(TestCancellation);
        await Wait.UntilAsync(() => scenario.Address.Current.Addresses.Count > 0, TestCancellation);

        scenario.Jobs = jobs;
        await scenario.EndAsync();

        Assert.Equal(stays, scenario.Records.ContainsKey("A"));
        Assert.Equal(!stays, scenario.LogMessages.Contains("The machine is shutting down: deleted the record of rag.example.com that pointed to 203.0.113.7."));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_instance_that_EC2_stops_deletes_its_records_one_at_a_time()
    {
        await using var scenario = await DnsScenario.StartAsync(DnsScenario.DeleteOnStop);
        scenario.Metadata["ipv6"] = "2001:db8::7";
        await scenario.RunAsync(TestCancellation);
        await Wait.UntilAsync(() => scenario.Address.Current.Addresses.Count == 2, TestCancellation);

        scenario.Board.Publish(scenario.Board.State with { InstanceStop = Sample.Loaded(new StopAccepted("i-0123456789abcdef0", Moment.Zero)) });
        await scenario.EndAsync();

        Assert.Empty(scenario.Records);
        Assert.Equal(["DELETE 203.0.113.7", "DELETE 2001:db8::7"], scenario.Route53Requests[^2..]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_record_with_another_address_is_not_deleted()
    {
        await using var scenario = await DnsScenario.StartAsync(DnsScenario.DeleteOnStop);
        await scenario.RunAsync(TestCancellation);
        await Wait.UntilAsync(() => scenario.Address.Current.Addresses.Count > 0, TestCancellation);

        scenario.Records["A"] = DnsScenario.RecordXml("198.51.100.99");
        scenario.Jobs = PowerOffJob;
        await scenario.EndAsync();

        Assert.Equal(DnsScenario.RecordXml("198.51.100.99"), scenario.Records["A"]);
        Assert.Equal("The machine is shutting down, but rag.example.com no longer points to 203.0.113.7: the record was left unchanged.", scenario.LogMessages[^1]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_Route_53_delays_the_shutdown_by_at_most_five_seconds()
    {
        await using var scenario = await DnsScenario.StartAsync(DnsScenario.DeleteOnStop);
        await scenario.RunAsync(TestCancellation);
        await Wait.UntilAsync(() => scenario.Address.Current.Addresses.Count > 0, TestCancellation);

        scenario.Intercept = async context =>
        {
            await TestServer.HangAsync(context);
            return true;
        };
        scenario.Jobs = PowerOffJob;
        var before = scenario.Clock.Now;
        var end = scenario.EndAsync();
        await scenario.AdvanceUntilAsync(() => end.IsCompleted, TestCancellation, seconds: 0.25);

        Assert.InRange(scenario.Clock.Now - before, TimeSpan.Zero, TimeSpan.FromSeconds(6));
        Assert.StartsWith("The machine is shutting down, but rag.example.com may still point to 203.0.113.7. ", scenario.LogMessages[^1], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_record_whose_write_was_interrupted_by_the_shutdown_is_deleted()
    {
        await using var scenario = await DnsScenario.StartAsync(DnsScenario.DeleteOnStop);
        scenario.Intercept = async context =>
        {
            if (context.Request.Method == "POST" && !scenario.Records.ContainsKey("A"))
            {
                scenario.Records["A"] = DnsScenario.RecordXml("203.0.113.7");
                await TestServer.HangAsync(context);
                return true;
            }
            return false;
        };
        await scenario.RunAsync(TestCancellation);
        await Wait.UntilAsync(() => scenario.Records.ContainsKey("A"), TestCancellation);

        scenario.Jobs = PowerOffJob;
        await scenario.EndAsync();

        Assert.Empty(scenario.Records);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_doctor_reports_what_would_change_what_is_right_and_what_blocks_it()
    {
        Assert.Equal(
            "The agent would point rag.example.com to 203.0.113.7, and the role allows it. The app would then be at http://rag.example.com/.",
            (await _scenario.CheckAsync(TestCancellation)).What);
        Assert.Empty(_scenario.Records);

        _scenario.Records["A"] = DnsScenario.RecordXml("203.0.113.7");
        Assert.Equal(
            "rag.example.com points to 203.0.113.7, and the role may change that. The app is at http://rag.example.com/.",
            (await _scenario.CheckAsync(TestCancellation)).What);

        _scenario.Records["AAAA"] = DnsScenario.RecordXml("2001:db8::9");
        Assert.Equal((CheckOutcome.Warning, "dns-elsewhere"), await _scenario.CheckAsync(TestCancellation) is var elsewhere ? (elsewhere.Outcome, elsewhere.Code) : default);

        _scenario.Records["A"] = "<AliasTarget><DNSName>d1.cloudfront.net.</DNSName></AliasTarget>";
        Assert.Equal((CheckOutcome.Failed, "dns-name-taken"), await _scenario.CheckAsync(TestCancellation) is var taken ? (taken.Outcome, taken.Code) : default);

        _scenario.Metadata.Clear();
        Assert.Equal("dns-no-address", (await _scenario.CheckAsync(TestCancellation)).Code);
    }

    private int LookupCount => _scenario.Requests.Count(request => request.ToString() == "GET /latest/meta-data/public-ipv4");

    private Task RunAsync() => _scenario.RunAsync(TestCancellation);

    private string PointsAtInstance() => string.Join(", ", _scenario.Address.Current.Addresses);

    private Task WaitUntilPointsAtAsync(string addresses) =>
        Wait.UntilAsync(() => PointsAtInstance() == addresses, TestCancellation);
}
