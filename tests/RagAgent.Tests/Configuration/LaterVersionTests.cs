using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Keys of the contract that this version only takes at their default.</summary>
public class LaterVersionTests
{
    private static readonly string Version = typeof(RagAgent.Configuration.AgentConfig).Assembly.GetName().Version!.ToString(3);

    [Theory]
    [InlineData("\"listen\": { \"https\": 443 }", "listen.https: is not supported by this version (VERSION); use null")]
    [InlineData("\"tls\": { \"certificate\": \"/etc/tls/cert.pem\" }", "tls.certificate: is not supported by this version (VERSION); use null")]
    [InlineData("\"tls\": { \"key\": \"/etc/tls/key.pem\" }", "tls.key: is not supported by this version (VERSION); use null")]
    [InlineData("\"dns\": { \"zone\": \"Z1\" }", "dns: is not supported by this version (VERSION); use null")]
    public void A_feature_of_a_later_version_is_refused_as_such(string members, string expected) =>
        Assert.Equal(expected.Replace("VERSION", Version, StringComparison.Ordinal), Refusal(With(members)));

    [Theory]
    [InlineData("\"listen\": { \"https\": \"443\" }", "listen.https: must be null, but is a text")]
    [InlineData("\"dns\": 1", "dns: must be null, but is a number")]
    public void What_no_version_will_take_is_refused_as_wrong(string members, string expected) => Assert.Equal(expected, Refusal(With(members)));

    [Theory]
    [InlineData("\"tls\": null, \"dns\": null, \"idle\": null, \"listen\": { \"https\": null }")]
    [InlineData("\"tls\": {}")]
    public void The_default_is_accepted_however_it_is_written(string members) => Accepted(With(members));
}
