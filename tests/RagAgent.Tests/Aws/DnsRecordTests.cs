using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Aws;

/// <summary>The name follows the machine, and nothing else waits for it.</summary>
[Collection(ProcessEnvironment.Name)]
public sealed class DnsRecordTests : IAsyncLifetime
{
    private const string PowersOff = "  151 poweroff.target                  start waiting\n  187 ragagent.service                 stop  running\n";
    private DnsBench _bench = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bench = await DnsBench.StartAsync(DnsBench.Kept);

    public ValueTask DisposeAsync() => _bench.DisposeAsync();

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task At_the_start_the_record_is_written_and_the_URL_is_told()
    {
        await RunAsync();
        await PointsAsync("203.0.113.7");

        Assert.Equal(["GET", "UPSERT 203.0.113.7"], _bench.Asked);
        Assert.Equal(["rag.example.com points at 203.0.113.7 from now on; the app is at http://rag.example.com/."], _bench.Said);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_record_that_is_right_already_is_not_written_and_the_URL_is_told_as_well()
    {
        _bench.Records["A"] = DnsBench.Holding("203.0.113.7");
        await RunAsync();
        await PointsAsync("203.0.113.7");

        Assert.Equal(["GET"], _bench.Asked);
        Assert.Equal(["rag.example.com points at 203.0.113.7 already; the app is at http://rag.example.com/."], _bench.Said);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task As_long_as_the_address_is_the_same_Route_53_is_not_asked_again()
    {
        await RunAsync();
        await PointsAsync("203.0.113.7");
        var looks = Looks;

        await _bench.PassesUntilAsync(() => Looks >= looks + 3, Stop, seconds: 30);

        Assert.Equal(["GET", "UPSERT 203.0.113.7"], _bench.Asked);
        Assert.Single(_bench.Said);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_address_that_changes_is_noticed_within_two_minutes()
    {
        await RunAsync();
        await PointsAsync("203.0.113.7");
        var before = _bench.Clock.Now;

        _bench.Metadata["public-ipv4"] = "198.51.100.1";
        _bench.Metadata["ipv6"] = "2001:db8::7";
        await _bench.PassesUntilAsync(() => Points() == "198.51.100.1, 2001:db8::7", Stop);

        Assert.InRange(_bench.Clock.Now - before, TimeSpan.FromSeconds(119), TimeSpan.FromSeconds(150));
        Assert.Equal(["GET", "UPSERT 203.0.113.7", "GET", "UPSERT 198.51.100.1", "UPSERT 2001:db8::7"], _bench.Asked);
        Assert.Equal("rag.example.com points at 198.51.100.1 and 2001:db8::7 from now on; the app is at http://rag.example.com/.", _bench.Said[^1]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Metadata_that_can_not_be_asked_for_a_while_change_nothing()
    {
        await RunAsync();
        await PointsAsync("203.0.113.7");
        var looks = Looks;

        _bench.Metadata["public-ipv4"] = "";   // 500
        await _bench.PassesUntilAsync(() => Looks >= looks + 2, Stop, seconds: 30);

        Assert.Empty(_bench.Address.Current.Problems);
        Assert.Equal("203.0.113.7", Points());
        Assert.Single(_bench.Said);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_machine_without_a_public_address_is_told_once_and_looked_at_again()
    {
        _bench.Metadata.Clear();
        _bench.Metadata["ipv6"] = "fd00:ec2::7";   // the internet does not know it
        await RunAsync();
        await DnsBench.UntilAsync(() => _bench.Address.Current.Problems.Count > 0, Stop);

        var problem = Assert.Single(_bench.Address.Current.Problems);
        Assert.Equal(("dns-no-address", "The instance has no public address, so rag.example.com can't be pointed at it."), (problem.Code, problem.What));
        Assert.NotNull(_bench.Address.Current.NextTry);
        var looks = Looks;
        await _bench.PassesUntilAsync(() => Looks >= looks + 3, Stop);
        Assert.Empty(_bench.Asked);
        Assert.Equal([problem.ToString()], _bench.Said);

        _bench.Metadata["public-ipv4"] = "203.0.113.7";
        await _bench.PassesUntilAsync(() => Points() == "203.0.113.7", Stop);
        Assert.Empty(_bench.Address.Current.Problems);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_machine_that_is_no_instance_is_told()
    {
        using var variables = new Variables(("AWS_EC2_METADATA_DISABLED", "true"));
        await RunAsync();
        await DnsBench.UntilAsync(() => _bench.Address.Current.Problems.Count > 0, Stop);

        Assert.Equal("dns-no-metadata", Assert.Single(_bench.Address.Current.Problems).Code);
        Assert.Equal("dns-no-metadata", (await _bench.ExamineAsync(Stop)).Code);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_is_refused_is_tried_again_and_told_when_it_is_mended()
    {
        _bench.Instead = async call => call.Request.Method == "POST" && await DnsBench.RefuseAsync(call, 403, "AccessDenied", "no");
        await RunAsync();
        await DnsBench.UntilAsync(() => _bench.Address.Current.Problems.Count > 0, Stop);
        Assert.Equal("aws-denied", _bench.Address.Current.Problems[0].Code);
        await _bench.PassesUntilAsync(() => _bench.Asked.Length >= 6, Stop);

        _bench.Instead = null;
        await _bench.PassesUntilAsync(() => Points() == "203.0.113.7", Stop);

        Assert.Empty(_bench.Address.Current.Problems);
        Assert.Equal(2, _bench.Said.Count);   // once each, however often it was tried
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_record_of_others_is_left_as_it_is_and_looked_at_again()
    {
        _bench.Records["A"] = "<AliasTarget><DNSName>d1.cloudfront.net.</DNSName></AliasTarget>";
        await RunAsync();
        await DnsBench.UntilAsync(() => _bench.Address.Current.Problems.Count > 0, Stop);
        Assert.Equal("dns-name-taken", _bench.Address.Current.Problems[0].Code);
        Assert.Equal(["GET"], _bench.Asked);

        _bench.Records.Clear();
        await _bench.PassesUntilAsync(() => Points() == "203.0.113.7", Stop);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Another_machine_that_takes_the_name_is_not_fought()
    {
        await RunAsync();
        await PointsAsync("203.0.113.7");
        var looks = Looks;

        _bench.Records["A"] = DnsBench.Holding("198.51.100.99");
        await _bench.PassesUntilAsync(() => Looks >= looks + 3, Stop, seconds: 30);

        Assert.Equal(DnsBench.Holding("198.51.100.99"), _bench.Records["A"]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Without_dns_nobody_is_asked_anything()
    {
        await using var bench = await DnsBench.StartAsync(dns: null);
        await bench.RunAsync(Stop);
        await bench.EndAsync();

        Assert.Empty(bench.Requests);
        Assert.Equal("skipped", (await bench.ExamineAsync(Stop)).Outcome.ToString().ToLowerInvariant());
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(DnsOnStop.Delete, PowersOff, false)]
    [InlineData(DnsOnStop.Delete, "  12 reboot.target start waiting\n", true)]
    [InlineData(DnsOnStop.Delete, "  12 ragagent.service stop running\n", true)]   // the agent alone
    [InlineData(DnsOnStop.Delete, "", true)]   // killed by hand
    [InlineData(DnsOnStop.Delete, null, true)]   // no systemd
    [InlineData(DnsOnStop.Keep, PowersOff, true)]
    public async Task The_record_goes_with_the_machine_when_it_is_asked_to_and_never_with_the_agent(DnsOnStop onStop, string? jobs, bool stays)
    {
        await using var bench = await DnsBench.StartAsync(DnsBench.Kept with { OnStop = onStop });
        await bench.RunAsync(Stop);
        await DnsBench.UntilAsync(() => bench.Address.Current.Addresses.Count > 0, Stop);

        bench.Jobs = jobs;
        await bench.EndAsync();

        Assert.Equal(stays, bench.Records.ContainsKey("A"));
        Assert.Equal(!stays, bench.Said.Contains("The machine goes off: rag.example.com does not point at 203.0.113.7 any more."));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_instance_that_EC2_has_agreed_to_stop_takes_its_records_with_it_one_after_the_other()
    {
        await using var bench = await DnsBench.StartAsync(DnsBench.Deleted);
        bench.Metadata["ipv6"] = "2001:db8::7";
        await bench.RunAsync(Stop);
        await DnsBench.UntilAsync(() => bench.Address.Current.Addresses.Count == 2, Stop);

        bench.Board.Publish(bench.Board.State with { InstanceStop = Told.Known(new StopAccepted("i-0123456789abcdef0", Moment.Zero)) });
        await bench.EndAsync();

        Assert.Empty(bench.Records);
        Assert.Equal(["DELETE 203.0.113.7", "DELETE 2001:db8::7"], bench.Asked[^2..]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_record_that_holds_another_address_by_then_stays()
    {
        await using var bench = await DnsBench.StartAsync(DnsBench.Deleted);
        await bench.RunAsync(Stop);
        await DnsBench.UntilAsync(() => bench.Address.Current.Addresses.Count > 0, Stop);

        bench.Records["A"] = DnsBench.Holding("198.51.100.99");
        bench.Jobs = PowersOff;
        await bench.EndAsync();

        Assert.Equal(DnsBench.Holding("198.51.100.99"), bench.Records["A"]);
        Assert.Equal("The machine goes off, and rag.example.com does not hold 203.0.113.7 any more: it is left as it is.", bench.Said[^1]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_Route_53_that_does_not_answer_delays_the_end_by_five_seconds_at_most()
    {
        await using var bench = await DnsBench.StartAsync(DnsBench.Deleted);
        await bench.RunAsync(Stop);
        await DnsBench.UntilAsync(() => bench.Address.Current.Addresses.Count > 0, Stop);

        bench.Instead = async call =>
        {
            await TestServer.HangAsync(call);
            return true;
        };
        bench.Jobs = PowersOff;
        var before = bench.Clock.Now;
        var end = bench.EndAsync();
        await bench.PassesUntilAsync(() => end.IsCompleted, Stop, seconds: 0.25);

        Assert.InRange(bench.Clock.Now - before, TimeSpan.Zero, TimeSpan.FromSeconds(6));
        Assert.StartsWith("The machine goes off, and rag.example.com goes on pointing at 203.0.113.7. ", bench.Said[^1], StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_write_that_the_end_cuts_may_have_come_through_so_its_record_is_deleted_too()
    {
        await using var bench = await DnsBench.StartAsync(DnsBench.Deleted);
        bench.Instead = async call =>
        {
            if (call.Request.Method == "POST" && !bench.Records.ContainsKey("A"))
            {
                bench.Records["A"] = DnsBench.Holding("203.0.113.7");
                await TestServer.HangAsync(call);
                return true;
            }
            return false;
        };
        await bench.RunAsync(Stop);
        await DnsBench.UntilAsync(() => bench.Records.ContainsKey("A"), Stop);

        bench.Jobs = PowersOff;
        await bench.EndAsync();

        Assert.Empty(bench.Records);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_doctor_tells_what_would_be_done_what_stands_and_what_is_in_the_way()
    {
        Assert.Equal("The agent would point rag.example.com at 203.0.113.7, and the role may do that: the app is at http://rag.example.com/ then.", (await _bench.ExamineAsync(Stop)).What);
        Assert.Empty(_bench.Records);

        _bench.Records["A"] = DnsBench.Holding("203.0.113.7");
        Assert.Equal("rag.example.com points at 203.0.113.7, and the role may change that: the app is at http://rag.example.com/.", (await _bench.ExamineAsync(Stop)).What);

        _bench.Records["AAAA"] = DnsBench.Holding("2001:db8::9");
        Assert.Equal((CheckOutcome.Warning, "dns-elsewhere"), await _bench.ExamineAsync(Stop) is var elsewhere ? (elsewhere.Outcome, elsewhere.Code) : default);

        _bench.Records["A"] = "<AliasTarget><DNSName>d1.cloudfront.net.</DNSName></AliasTarget>";
        Assert.Equal((CheckOutcome.Failed, "dns-name-taken"), await _bench.ExamineAsync(Stop) is var taken ? (taken.Outcome, taken.Code) : default);

        _bench.Metadata.Clear();
        Assert.Equal("dns-no-address", (await _bench.ExamineAsync(Stop)).Code);
    }

    private int Looks => _bench.Requests.Count(request => request.ToString() == "GET /latest/meta-data/public-ipv4");

    private Task RunAsync() => _bench.RunAsync(Stop);

    private string Points() => string.Join(", ", _bench.Address.Current.Addresses);

    private Task PointsAsync(string addresses) => DnsBench.UntilAsync(() => Points() == addresses, Stop);
}
