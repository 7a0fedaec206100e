using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Keys of the contract that this version only takes at their default.</summary>
public class LaterVersionTests
{
    private static readonly string Version = typeof(RagAgent.Configuration.AgentConfig).Assembly.GetName().Version!.ToString(3);

    [Theory]
    [InlineData("\"dns\": { \"zone\": \"Z1\" }", "dns: is not supported by this version (VERSION); use null")]
    public void A_feature_of_a_later_version_is_refused_as_such(string members, string expected) =>
        Assert.Equal(expected.Replace("VERSION", Version, StringComparison.Ordinal), Refusal(With(members)));

    [Fact]
    public void What_no_version_will_take_is_refused_as_wrong() => Assert.Equal("dns: must be null, but is a number", Refusal(With("\"dns\": 1")));

    [Fact]
    public void The_default_is_accepted() => Accepted(With("\"dns\": null, \"idle\": null"));
}
