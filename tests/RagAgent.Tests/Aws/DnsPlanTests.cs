using System.Net;
using RagAgent.Aws.Dns;
using RagAgent.Common;
using RagAgent.Configuration;
using Xunit;

namespace RagAgent.Tests.Aws;

/// <summary>Which records are written for a zone's records and a machine's addresses, and which are left unchanged.</summary>
public class DnsPlanTests
{
    private const string NotOverwritten =
        "The agent did not create it and does not overwrite it, so clients don't reach this machine by that name.";

    private static readonly DnsConfig Dns = new() { Zone = "Z1", Name = "rag.example.com" };
    private static readonly IPAddress Ipv4 = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress Ipv6 = IPAddress.Parse("2001:db8::7");

    [Fact]
    public void A_missing_record_is_written() => AssertPlan([], [Ipv4], toWrite: [Ipv4]);

    [Fact]
    public void Each_address_family_has_its_own_record() => AssertPlan([A("203.0.113.7")], [Ipv4, Ipv6], upToDate: [Ipv4], toWrite: [Ipv6]);

    [Fact]
    public void A_record_with_the_right_address_is_left_alone_however_it_is_spelled() =>
        AssertPlan([A("203.0.113.7") with { Name = "RAG.example.com." }, Aaaa("2001:0DB8:0:0:0:0:0:7")], [Ipv4, Ipv6], upToDate: [Ipv4, Ipv6]);

    [Fact]
    public void An_outdated_address_is_replaced() => AssertPlan([A("198.51.100.1")], [Ipv4], toWrite: [Ipv4]);

    [Fact]
    public void A_record_with_another_TTL_is_written() => AssertPlan([A("203.0.113.7") with { Ttl = 300 }], [Ipv4], toWrite: [Ipv4]);

    [Fact]
    public void Records_of_other_names_and_types_are_ignored() =>
        AssertPlan(
            [
                new("rag.example.com.", "TXT", 60, ["\"x\""]),
                new("rag.example.com.", "CAA", 60, ["0 issue \"x\""]),
                new("\\052.example.com.", "CNAME", 60, ["x.example."]),
                new("z.rag.example.com.", "A", 60, ["1.1.1.1", "2.2.2.2"]),
            ],
            [Ipv4],
            toWrite: [Ipv4]);

    [Fact]
    public void An_alias_is_not_overwritten() =>
        AssertConflict(A() with { Ttl = null, AliasTarget = "D1.cloudfront.net." }, "The A record of rag.example.com is an alias (d1.cloudfront.net). " + NotOverwritten);

    [Fact]
    public void A_record_of_a_routing_policy_is_not_overwritten() =>
        AssertConflict(A("1.1.1.1") with { SetIdentifier = "blue" }, "The A record of rag.example.com belongs to a routing policy ('blue'). " + NotOverwritten);

    [Fact]
    public void A_record_with_several_addresses_is_not_overwritten() =>
        AssertConflict(A("1.1.1.1", "203.0.113.7"), "The A record of rag.example.com has 2 addresses. " + NotOverwritten);

    [Fact]
    public void A_CNAME_is_not_overwritten_and_blocks_both_records()
    {
        var plan = DnsPlan.Of(Dns, [Ipv4, Ipv6], [new("rag.example.com.", "CNAME", 300, ["other.example.com."])]);

        var problem = Assert.Single(plan.Problems);
        Assert.Equal(("dns-name-taken", "rag.example.com is a CNAME record (other.example.com). " + NotOverwritten), (problem.Code, problem.What));
        Assert.Equal((0, 0), (plan.UpToDate.Count, plan.ToWrite.Count));
    }

    [Fact]
    public void A_problem_with_one_record_does_not_block_the_other()
    {
        var plan = DnsPlan.Of(Dns, [Ipv4, Ipv6], [A() with { AliasTarget = "x." }]);

        Assert.Equal([Ipv6], plan.ToWrite);
        Assert.Equal("dns-name-taken", Assert.Single(plan.Problems).Code);
    }

    [Theory]
    [InlineData(
        "AAAA", "2001:db8::9", "203.0.113.7",
        "rag.example.com has an AAAA record (2001:db8::9), but this machine has no public IPv6 address: clients that use IPv6 are sent elsewhere.")]
    [InlineData(
        "A", "198.51.100.1", "2001:db8::7",
        "rag.example.com has an A record (198.51.100.1), but this machine has no public IPv4 address: clients that use IPv4 are sent elsewhere.")]
    public void A_stale_record_of_the_other_address_family_is_reported_and_not_deleted(
        string type, string value, string addresses, string expected)
    {
        var plan = DnsPlan.Of(Dns, [IPAddress.Parse(addresses)], [new("rag.example.com.", type, 60, [value])]);

        Assert.Equal([IPAddress.Parse(addresses)], plan.ToWrite);
        var problem = Assert.Single(plan.Problems);
        Assert.Equal(("dns-elsewhere", expected), (problem.Code, problem.What));
    }

    [Fact]
    public void Without_an_address_nothing_is_written() => AssertPlan([A("198.51.100.1")], []);

    private static ResourceRecordSet A(params string[] values) => new("rag.example.com.", "A", 60, values);

    private static ResourceRecordSet Aaaa(params string[] values) => new("rag.example.com.", "AAAA", 60, values);

    private static void AssertPlan(
        ResourceRecordSet[] found, IPAddress[] addresses, IPAddress[]? upToDate = null, IPAddress[]? toWrite = null)
    {
        var plan = DnsPlan.Of(Dns, addresses, found);

        Assert.Empty(plan.Problems);
        Assert.Equal(upToDate ?? [], plan.UpToDate);
        Assert.Equal(toWrite ?? [], plan.ToWrite);
    }

    private static void AssertConflict(ResourceRecordSet found, string expected)
    {
        var plan = DnsPlan.Of(Dns, [Ipv4], [found]);

        var problem = Assert.Single(plan.Problems);
        Assert.Equal(("dns-name-taken", expected), (problem.Code, problem.What));
        Assert.Equal(
            "If nothing needs the record, delete it from the hosted zone Z1. Otherwise set dns.name to another name. " + ExceptionMapping.RetriesAutomatically,
            problem.Remedy);
        Assert.Equal((0, 0), (plan.UpToDate.Count, plan.ToWrite.Count));
    }
}
