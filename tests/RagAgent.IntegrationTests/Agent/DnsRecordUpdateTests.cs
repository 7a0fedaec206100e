using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using LocalAws.Route53;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The DNS record follows the instance's address, and the app never waits for it.</summary>
public sealed class DnsRecordUpdateTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Zone = "Z0123456789ABCDEFGHIJ";
    private const string Host = "rag.example.com";
    private const string Arn = $"arn:aws:route53:::hostedzone/{Zone}";

    private string Url => $"http://{Host}:{Port}/";

    private int RecordChanges => Aws.Requests.Count(Operations.ChangeResourceRecordSets);

    private void ConfigureDns(
        string onStop = "keep", string zone = Zone, string name = Host, string? ipv4 = "203.0.113.7", string? ipv6 = null)
    {
        Aws.HostedZones.Add(Zone, "example.com");
        Aws.Instance = Aws.Instance with { PublicIpv4 = ipv4, Ipv6 = ipv6 };
        Config["dns"] = new JsonObject { ["zone"] = zone, ["name"] = name, ["onStop"] = onStop };
    }

    private async Task WaitUntilPointsAtAsync(params string[] addresses) =>
        await WaitForAsync(s => s.Dns!.Addresses.SequenceEqual(addresses), $"the name points at {string.Join(", ", addresses)}");

    [Fact]
    public async Task The_DNS_name_points_here_at_startup_and_the_URL_is_shown()
    {
        ConfigureDns(ipv6: "2001:db8::7");
        var agent = StartAgent();
        await WaitUntilPointsAtAsync("203.0.113.7", "2001:db8::7");   // there is no image yet

        Assert.Equal(
            ["rag.example.com. 60 A 203.0.113.7", "rag.example.com. 60 AAAA 2001:db8::7"],
            Aws.HostedZones.Records(Zone).Select(set => set.ToString()));
        await agent.WaitForLogAsync($"{Host} now points to 203.0.113.7 and 2001:db8::7. The app is at {Url}.");
        Assert.Contains($"\nurl       {Url} (203.0.113.7, 2001:db8::7)\n", (await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory)).Output, StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{Port}/") { Headers = { { "Accept", "text/html" } } };
        using var page = await Http.SendAsync(request, TestCancellation);
        Assert.Contains($"<a href=\"{Url}\">", await page.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
        var call = Aws.Requests.ByOperation(Operations.ChangeResourceRecordSets)[0];
        Assert.Equal(("arn:aws:sts::123456789012:assumed-role/ragstream-instance/i-0123456789abcdef0", Arn, 200), (call.Principal, call.Resource, call.Status));
    }

    [Fact]
    public async Task Only_changed_DNS_records_are_written_and_a_reload_checks_for_changes()
    {
        ConfigureDns();
        var first = StartAgent();
        await WaitUntilPointsAtAsync("203.0.113.7");
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal("203.0.113.7", Aws.HostedZones.FindValue(Zone, Host));

        var second = StartAgent();
        await WaitUntilPointsAtAsync("203.0.113.7");
        Assert.Equal(1, RecordChanges);
        await second.WaitForLogAsync($"{Host} already points to 203.0.113.7. The app is at {Url}.");

        Aws.Instance = Aws.Instance with { PublicIpv4 = "198.51.100.1" };
        await ReloadAsync(second);
        await WaitUntilAsync(() => Task.FromResult(Aws.HostedZones.FindValue(Zone, Host) == "198.51.100.1"), "the new address is written");
        Assert.Equal(2, RecordChanges);
    }

    [Theory]
    [InlineData(Operations.ListResourceRecordSets, $"Allow the instance role route53:ListResourceRecordSets on {Arn}. No restart is needed.")]
    [InlineData(
        Operations.ChangeResourceRecordSets,
        $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} (for the name {Host}, type A, action UPSERT). No restart is needed.")]
    public async Task A_missing_Route_53_permission_is_named_and_the_app_still_serves(string operation, string remedy)
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
        await WaitUntilPointsAtAsync("203.0.113.7");
        await WaitForAsync(s => s.Problems.Count == 0, "the problem is gone");
    }

    [Theory]
    [InlineData("Throttling")]
    [InlineData("PriorRequestNotComplete")]
    public async Task A_busy_hosted_zone_is_retried_without_a_failure(string type)
    {
        Aws.Faults.Add(Operations.ChangeResourceRecordSets, new Fault.Error(type), times: 2);
        ConfigureDns();
        var agent = StartAgent();
        await WaitUntilPointsAtAsync("203.0.113.7");

        Assert.DoesNotContain("is throttling", agent.Log, StringComparison.Ordinal);
        Assert.Equal(3, RecordChanges);
    }

    [Theory]
    [InlineData(
        "Z0000000000", Host, "dns-zone-missing",
        "The hosted zone Z0000000000 does not exist in the credentials' account, so rag.example.com can't point to this machine.")]
    [InlineData(
        Zone, "rag.example.org", "dns-outside-zone",
        $"rag.example.org is not in the hosted zone {Zone}: RRSet with DNS name rag.example.org. is not permitted in zone example.com.")]
    public async Task A_wrong_hosted_zone_or_name_is_reported(string zone, string name, string code, string what)
    {
        ConfigureDns(zone: zone, name: name);
        StartAgent();

        Assert.Equal(what, (await WaitForProblemAsync(code)).What);
    }

    [Fact]
    public async Task DNS_records_with_a_routing_policy_are_left_alone_until_they_are_gone()
    {
        ConfigureDns();
        Aws.HostedZones.Put(Zone, new ResourceRecordSet(Host, "A", 60, ["198.51.100.1"], SetIdentifier: "blue", Weight: 10));
        Aws.HostedZones.Put(Zone, new ResourceRecordSet(Host, "A", 60, ["198.51.100.2"], SetIdentifier: "green", Weight: 20));
        StartAgent();

        await WaitForProblemAsync("dns-name-taken");
        Assert.Equal((2, 0), (Aws.HostedZones.Records(Zone).Count, RecordChanges));

        Aws.HostedZones.Add(Zone, "example.com");   // emptied
        await WaitUntilPointsAtAsync("203.0.113.7");
    }

    [Fact]
    public async Task An_instance_that_gets_its_public_address_and_role_later_gets_its_DNS_name()
    {
        var role = Aws.Instance.RoleName;
        ConfigureDns(ipv4: null);
        Aws.Instance = Aws.Instance with { RoleName = null };
        StartAgent();
        Assert.Equal("The instance has no public address, so rag.example.com can't point to it.", (await WaitForProblemAsync("dns-no-address")).What);

        Aws.Instance = Aws.Instance with { PublicIpv4 = "203.0.113.7" };
        await WaitForAsync(s => s.Problems.All(problem => problem.Code == "imds-no-role"), "only the role is missing now");
        Aws.Instance = Aws.Instance with { RoleName = role };
        await WaitUntilPointsAtAsync("203.0.113.7");
    }

    [Fact]
    public async Task A_hanging_Route_53_delays_neither_the_app_nor_the_agents_shutdown()
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
    public async Task Stopping_the_agent_keeps_the_DNS_record_and_stopping_the_instance_removes_it()
    {
        ConfigureDns(onStop: "delete");
        await PushAsync();
        var first = StartAgent();
        await WaitUntilPointsAtAsync("203.0.113.7");
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal("203.0.113.7", Aws.HostedZones.FindValue(Zone, Host));

        // The test machine has been up for longer than the grace.
        Config["idle"] = new JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        Config["update"] = new JsonObject { ["every"] = null, ["watch"] = "1s" };
        var agent = StartAgent();
        await WaitForAsync(s => s.Idle is { Stopping: true }, "EC2 agrees to stop the instance");
        Assert.Equal(0, await agent.StopAsync());

        Assert.Null(Aws.HostedZones.FindValue(Zone, Host));
        await agent.WaitForLogAsync($"The machine is shutting down: deleted the record of {Host} that pointed to 203.0.113.7.");
    }

    [Fact]
    public async Task The_doctor_checks_the_DNS_permissions_without_changing_a_record()
    {
        ConfigureDns(onStop: "delete", ipv6: "2001:db8::7");
        WriteConfig();
        Assert.Equal(("ok", $"The agent would point {Host} to 203.0.113.7 and 2001:db8::7, and the role allows it. The app would then be at {Url}.", null), await CheckAsync());
        Assert.Empty(Aws.HostedZones.Records(Zone));
        Assert.Equal(400, Assert.Single(Aws.Requests.ByOperation(Operations.ChangeResourceRecordSets)).Status);

        Aws.Faults.Add(Operations.ChangeResourceRecordSets, new Fault.Error("AccessDenied"));
        var denied = await CheckAsync();
        Assert.Equal("failed", denied.Finding);
        Assert.Equal(
            $"Allow the instance role route53:ChangeResourceRecordSets on {Arn} (for the name {Host}, type A and AAAA, action UPSERT and DELETE). " +
            "No restart is needed.",
            denied.Remedy);

        Aws.Faults.Add(Operations.ListResourceRecordSets, new Fault.Error("AccessDenied"));
        Assert.Equal($"Allow the instance role route53:ListResourceRecordSets on {Arn}. No restart is needed.", (await CheckAsync()).Remedy);
    }

    private async Task<(string Finding, string What, string? Remedy)> CheckAsync()
    {
        var output = await RunCommandAsync(
            "doctor", "--json", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);
        var check = JsonNode.Parse(output.Output)!["checks"]!.AsArray().Single(check => (string)check!["name"]! == "dns")!;
        return ((string)check["finding"]!, (string)check["what"]!, (string?)check["remedy"]);
    }
}
