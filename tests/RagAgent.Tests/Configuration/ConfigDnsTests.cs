using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigDnsTests
{
    [Theory]
    [InlineData("\"aws\": {}")]
    [InlineData("\"dns\": null")]
    public void Without_dns_there_is_no_name_and_no_URL(string members)
    {
        var config = AssertAccepted(ConfigWith(members));

        Assert.Equal((null, null), (config.Dns, config.Url));
    }

    [Fact]
    public void Dns_needs_only_zone_and_name() =>
        Assert.Equal(
            new DnsConfig { Zone = "Z1", Name = "rag.example.com", Ttl = 60, OnStop = DnsOnStop.Keep },
            AssertAccepted(ConfigWith("\"dns\": { \"zone\": \"Z1\", \"name\": \"rag.example.com\" }")).Dns);

    [Theory]
    [InlineData("rag.example.com.")]
    [InlineData("RAG.Example.COM")]
    [InlineData("rag.example.com")]
    public void Case_and_trailing_dot_of_a_host_name_do_not_matter(string written) =>
        Assert.Equal("rag.example.com", AssertAccepted(ConfigWithName(written)).Dns!.Name);

    [Theory]
    [InlineData("example.com")]
    [InlineData("a-b.1.xn--bcher-kva.example")]
    public void Valid_host_names_are_accepted(string name) => Assert.Equal(name, AssertAccepted(ConfigWithName(name)).Dns!.Name);

    [Theory]
    [InlineData("80", "null", "null", "http://rag.example.com/")]
    [InlineData("8080", "null", "null", "http://rag.example.com:8080/")]
    [InlineData("8080", "443", "\"/rag\"", "https://rag.example.com/rag/")]
    [InlineData("80", "8443", "null", "https://rag.example.com:8443/")]
    public void The_URL_has_scheme_port_and_base_path(string http, string https, string path, string expected)
    {
        var tls = https == "null" ? "null" : "{ \"certificate\": \"/a\", \"key\": \"/a\" }";

        Assert.Equal(expected, AssertAccepted(ConfigWith($$"""
            "dns": { "zone": "Z1", "name": "rag.example.com" }, "listen": { "http": {{http}}, "https": {{https}}, "basePath": {{path}} }, "tls": {{tls}}
            """)).Url);
    }

    [Theory]
    [InlineData("7", "dns: must be an object { … }, but is a number")]
    [InlineData("{ \"name\": \"a.example\" }", "dns.zone: is missing; set the ID of the name's hosted zone, like \"Z0123456789ABCDEFGHIJ\"")]
    [InlineData("{ \"zone\": \"Z1\" }", "dns.name: is missing; set the name that clients use, like \"rag.example.com\"")]
    [InlineData("{ \"zone\": null, \"name\": \"a.example\" }", "dns.zone: must be the ID of a hosted zone, like \"Z0123456789ABCDEFGHIJ\", but is null; this key has no default")]
    [InlineData(
        "{ \"zone\": \"/hostedzone/Z1\", \"name\": \"a.example\" }",
        "dns.zone: must be the ID of a hosted zone, like \"Z0123456789ABCDEFGHIJ\", but is \"/hostedzone/Z1\"; write \"Z1\"")]
    [InlineData(
        "{ \"zone\": \"example.com\", \"name\": \"a.example\" }",
        "dns.zone: must be the ID of a hosted zone, like \"Z0123456789ABCDEFGHIJ\", but is \"example.com\"; "
            + "'aws route53 list-hosted-zones-by-name --dns-name example.com' shows the zone of example.com")]
    [InlineData(
        "{ \"zone\": \"Z1\", \"name\": \"https://a.example\" }",
        "dns.name: must be a host name like \"rag.example.com\", but is \"https://a.example\"; give only the name; listen sets the scheme and the port")]
    [InlineData(
        "{ \"zone\": \"Z1\", \"name\": \"*.example.com\" }",
        "dns.name: must be a host name like \"rag.example.com\", but is \"*.example.com\"; wildcards are not supported")]
    [InlineData(
        "{ \"zone\": \"Z1\", \"name\": \"bücher.example\" }",
        "dns.name: must be a host name like \"rag.example.com\", but is \"bücher.example\"; write non-ASCII letters in Punycode (xn--…)")]
    [InlineData("{ \"zone\": \"Z1\", \"name\": \"a.example\", \"ttl\": 0 }", "dns.ttl: must be a whole number from 1 to 86400, but is 0")]
    [InlineData("{ \"zone\": \"Z1\", \"name\": \"a.example\", \"ttl\": \"60s\" }", "dns.ttl: must be a number of seconds like 60, but is a string")]
    [InlineData("{ \"zone\": \"Z1\", \"name\": \"a.example\", \"onStop\": \"park\" }", "dns.onStop: must be \"keep\" or \"delete\", but is \"park\"")]
    [InlineData("{ \"zone\": \"Z1\", \"name\": \"a.example\", \"onstop\": \"keep\" }", "dns.onstop: unknown key; did you mean 'onStop'?")]
    public void An_invalid_dns_setting_is_rejected_with_the_reason(string value, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith($"\"dns\": {value}")));

    [Theory]
    [InlineData("localhost")]
    [InlineData("10.0.0.1")]
    [InlineData("rag..example.com")]
    [InlineData("rag.example.com..")]
    [InlineData(".example.com")]
    [InlineData("-rag.example.com")]
    [InlineData("rag-.example.com")]
    [InlineData("rag_1.example.com")]
    [InlineData("rag.example.com:80")]
    [InlineData("rag.example.com/rag")]
    [InlineData("")]
    public void Invalid_host_names_are_rejected(string name) =>
        Assert.Equal(
            $"dns.name: must be a host name like \"rag.example.com\": labels of letters, digits and '-', separated by dots, but is \"{name}\"",
            AssertSingleError(ConfigWithName(name)));

    [Fact]
    public void A_host_name_with_a_label_or_total_length_over_the_limit_is_rejected()
    {
        var longLabel = new string('a', 64) + ".example";
        var longName = string.Join('.', Enumerable.Repeat(new string('a', 63), 4));

        Assert.Contains("labels", AssertSingleError(ConfigWithName(longLabel)), StringComparison.Ordinal);
        Assert.Contains("labels", AssertSingleError(ConfigWithName(longName)), StringComparison.Ordinal);
    }

    private static string ConfigWithName(string name) => ConfigWith($"\"dns\": {{ \"zone\": \"Z1\", \"name\": \"{name}\" }}");
}
