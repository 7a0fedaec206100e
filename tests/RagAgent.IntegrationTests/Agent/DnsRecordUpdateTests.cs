using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using LocalAws.Route53;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A name points at the instance, whatever address it has, and the app does not wait for it.</summary>
public sealed class DnsRecordUpdateTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Zone = "Z0123456789ABCDEFGHIJ";
    private const string Host = "rag.example.com";
    private const string Arn = $"arn:aws:route53:::hostedzone/{Zone}";

    private string Url => $"http://{Host}:{Port}/";

    private int RecordChanges => Aws.Requests.Count(Operations.ChangeResourceRecordSets);

    private void ConfigureDns(string onStop = "keep", string zone = Zone, string name = Host, string? ipv4 = "203.0.113.7", string? ipv6 = null)
    {
        Aws.HostedZones.Add(Zone, "example.com");
        Aws.Instance = Aws.Instance with { PublicIpv4 = ipv4, Ipv6 = ipv6 };
        Config["dns"] = new JsonObject { ["zone"] = zone, ["name"] = name, ["onStop"] = onStop };
    }

    private async Task PointsAtAsync(params string[] addresses) =>
        await WaitForAsync(s => s.Dns!.Addresses.SequenceEqual(addresses), $"the name points at {string.Join(", ", addresses)}");

    [Fact]
    public async Task At_the_start_the_name_is_pointed_here_while_the_app_comes_up_and_the_URL_is_told()
    {
        ConfigureDns(ipv6: "2001:db8::7");
        var agent = StartAgent();
        await PointsAtAsync("203.0.113.7", "2001:db8::7");   // there is no image yet

        Assert.Equal(["rag.example.com. 60 A 203.0.113.7", "rag.example.com. 60 AAAA 2001:db8::7"], Aws.HostedZones.Records(Zone).Select(set => set.ToString()));
        await agent.WaitForLogAsync($"{Host} now points to 203.0.113.7 and 2001:db8::7. The app is at {Url}.");
        Assert.Contains($"\nurl       {Url} (203.0.113.7, 2001:db8::7)\n", (await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory)).Output, StringComparison.Ordinal);
        using var visit = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{Port}/") { Headers = { { "Accept", "text/html" } } };
        using var page = await Http.SendAsync(visit, TestCancellation);
        Assert.Contains($"<a href=\"{Url}\">", await page.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
        var call = Aws.Requests.ByOperation(Operations.ChangeResourceRecordSets)[0];
        Assert.Equal(("arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0", Arn, 200), (call.Principal, call.Resource, call.Status));
    }

    [Fact]
    public async Task Only_what_has_changed_is_written_and_a_reload_looks_for_it()
    {
        ConfigureDns();
        var first = StartAgent();
        await PointsAtAsync("203.0.113.7");
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal("203.0.113.7", Aws.HostedZones.FindValue(Zone, Host));

        var second = StartAgent();
        await PointsAtAsync("203.0.113.7");
        Assert.Equal(1, RecordChanges);
        await second.WaitForLogAsync($"{Host} already points to 203.0.113.7. The app is at {Url}.");

        Aws.Instance = Aws.Instance with { PublicIpv4 = "198.51.100.1" };
        await ReloadAsync(second);
        await WaitUntilAsync(() => Task.FromResult(Aws.HostedZones.FindValue(Zone, Host) == "198.51.100.1"), "the new address is written");
        Assert.Equal(2, RecordChanges);
    }

    [Theory]
    [InlineData(Operations.ListResourceRecordSets, $"Allow the instance role route53:ListResourceRecordSets on {Arn}. No restart is needed.")]
    [InlineData(Operations.ChangeResourceRecordSets, $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} (for the name {Host}, type A, action UPSERT). No restart is needed.")]
    public async Task A_permission_that_is_missing_is_named_and_the_app_serves_all_the_same(string operation, string remedy)
    {
        Aws.Faults.Add(operation, new Fault.Error("AccessDenied"));
        ConfigureDns();
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("aws-denied");
        Assert.Contains($"is not authorized to perform: {operation} on resource: {Arn}", problem.What, StringComparison.Ordinal);
        Assert.Equal(remedy, problem.Remedy);
        Assert.NotNull(problem.NextTry);
        await WaitUntilServingAsync();

        Aws.Faults.Clear();
        await PointsAtAsync("203.0.113.7");
        await WaitForAsync(s => s.Problems.Count == 0, "the problem is gone");
    }

    [Theory]
    [InlineData("Throttling")]
    [InlineData("PriorRequestNotComplete")]
    public async Task A_zone_that_is_busy_is_no_failure(string type)
    {
        Aws.Faults.Add(Operations.ChangeResourceRecordSets, new Fault.Error(type), times: 2);
        ConfigureDns();
        var agent = StartAgent();
        await PointsAtAsync("203.0.113.7");

        Assert.DoesNotContain("is throttling", agent.Log, StringComparison.Ordinal);
        Assert.Equal(3, RecordChanges);
    }

    [Theory]
    [InlineData("Z0000000000", Host, "dns-zone-missing", "The hosted zone Z0000000000 does not exist in the credentials' account, so rag.example.com can't point to this machine.")]
    [InlineData(Zone, "rag.example.org", "dns-outside-zone", $"rag.example.org is not in the hosted zone {Zone}: RRSet with DNS name rag.example.org. is not permitted in zone example.com.")]
    public async Task A_zone_that_is_wrong(string zone, string name, string code, string what)
    {
        ConfigureDns(zone: zone, name: name);
        StartAgent();

        Assert.Equal(what, (await WaitForProblemAsync(code)).What);
    }

    [Fact]
    public async Task Records_of_another_making_are_left_as_they_are_until_they_are_gone()
    {
        ConfigureDns();
        Aws.HostedZones.Put(Zone, new ResourceRecordSet(Host, "A", 60, ["198.51.100.1"], SetIdentifier: "blue", Weight: 10));
        Aws.HostedZones.Put(Zone, new ResourceRecordSet(Host, "A", 60, ["198.51.100.2"], SetIdentifier: "green", Weight: 20));
        StartAgent();

        await WaitForProblemAsync("dns-name-taken");
        Assert.Equal((2, 0), (Aws.HostedZones.Records(Zone).Count, RecordChanges));

        Aws.HostedZones.Add(Zone, "example.com");   // emptied
        await PointsAtAsync("203.0.113.7");
    }

    [Fact]
    public async Task An_instance_without_a_public_address_and_without_a_role_which_gets_both_later()
    {
        var role = Aws.Instance.RoleName;
        ConfigureDns(ipv4: null);
        Aws.Instance = Aws.Instance with { RoleName = null };
        StartAgent();
        Assert.Equal("The instance has no public address, so rag.example.com can't point to it.", (await WaitForProblemAsync("dns-no-address")).What);

        Aws.Instance = Aws.Instance with { PublicIpv4 = "203.0.113.7" };
        await WaitForAsync(s => s.Problems.All(problem => problem.Code == "imds-no-role"), "now the role is what is missing");
        Aws.Instance = Aws.Instance with { RoleName = role };
        await PointsAtAsync("203.0.113.7");
    }

    [Fact]
    public async Task A_Route_53_that_hangs_holds_nobody_up()
    {
        Aws.Faults.Add(Operations.ListResourceRecordSets, new Fault.Hang());
        ConfigureDns(onStop: "delete");
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();

        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(0, await agent.StopAsync());
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task An_agent_that_ends_leaves_the_name_and_an_instance_that_stops_takes_it_away()
    {
        ConfigureDns(onStop: "delete");
        await PushAsync();
        var first = StartAgent();
        await PointsAtAsync("203.0.113.7");
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal("203.0.113.7", Aws.HostedZones.FindValue(Zone, Host));

        // This machine has been up for longer than the grace.
        Config["idle"] = new JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        Config["update"] = new JsonObject { ["every"] = null, ["watch"] = "1s" };
        var agent = StartAgent();
        await WaitForAsync(s => s.Idle is { Stopping: true }, "EC2 agrees to stop the instance");
        Assert.Equal(0, await agent.StopAsync());

        Assert.Null(Aws.HostedZones.FindValue(Zone, Host));
        await agent.WaitForLogAsync($"The machine is shutting down: deleted the record of {Host} that pointed to 203.0.113.7.");
    }

    [Fact]
    public async Task The_doctor_tells_whether_it_may_and_changes_nothing()
    {
        ConfigureDns(onStop: "delete", ipv6: "2001:db8::7");
        WriteConfig();
        Assert.Equal(("ok", $"The agent would point {Host} at 203.0.113.7 and 2001:db8::7, and the role may do that: the app is at {Url} then.", null), await CheckAsync());
        Assert.Empty(Aws.HostedZones.Records(Zone));
        Assert.Equal(400, Assert.Single(Aws.Requests.ByOperation(Operations.ChangeResourceRecordSets)).Status);

        Aws.Faults.Add(Operations.ChangeResourceRecordSets, new Fault.Error("AccessDenied"));
        Assert.Equal(("failed", $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} (for the name {Host}, type A and AAAA, action UPSERT and DELETE). No restart is needed."), await CheckAsync() is var denied ? (denied.Finding, denied.Remedy) : default);

        Aws.Faults.Add(Operations.ListResourceRecordSets, new Fault.Error("AccessDenied"));
        Assert.Equal($"Allow the instance role route53:ListResourceRecordSets on {Arn}. No restart is needed.", (await CheckAsync()).Remedy);
    }

    private async Task<(string Finding, string What, string? Remedy)> CheckAsync()
    {
        var output = await RunCommandAsync("doctor", "--json", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);
        var check = JsonNode.Parse(output.Output)!["checks"]!.AsArray().Single(check => (string)check!["name"]! == "dns")!;
        return ((string)check["finding"]!, (string)check["what"]!, (string?)check["remedy"]);
    }
}
