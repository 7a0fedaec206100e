using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigIdleTests
{
    [Theory]
    [InlineData("\"aws\": {}")]
    [InlineData("\"idle\": null")]
    public void Without_idle_the_instance_never_stops_itself(string members) =>
        Assert.Null(AssertAccepted(ConfigWith(members)).Idle);

    [Fact]
    public void An_empty_idle_object_means_the_defaults() =>
        Assert.Equal(
            new IdleConfig { StopAfter = TimeSpan.FromMinutes(60), Grace = TimeSpan.FromMinutes(30), MaxUptime = null },
            AssertAccepted(ConfigWith("\"idle\": {}")).Idle);

    [Theory]
    [InlineData("\"stopAfter\": \"10s\", \"grace\": \"1m\", \"maxUptime\": \"10m\"")]
    [InlineData("\"stopAfter\": \"168h\", \"grace\": \"24h\", \"maxUptime\": \"720h\"")]
    [InlineData("\"stopAfter\": null, \"maxUptime\": \"10m\"")]   // the grace applies only to stopAfter
    public void Idle_values_at_their_limits_are_accepted(string members) => AssertAccepted(ConfigWith($"\"idle\": {{ {members} }}"));

    [Theory]
    [InlineData("7", "idle: must be an object { … }, but is a number")]
    [InlineData("{ \"stopAfter\": \"9s\" }", "idle.stopAfter: must be from 10s to 168h, but is \"9s\"")]
    [InlineData("{ \"grace\": \"59s\" }", "idle.grace: must be from 1m to 24h, but is \"59s\"")]
    [InlineData("{ \"grace\": null }", "idle.grace: must be a duration like \"30m\", but is null; remove the key to use its default")]
    [InlineData("{ \"maxUptime\": \"721h\" }", "idle.maxUptime: must be from 10m to 720h, but is \"721h\"")]
    [InlineData("{ \"stopafter\": \"1h\" }", "idle.stopafter: unknown key; did you mean 'stopAfter'?")]
    [InlineData(
        "{ \"stopAfter\": null }",
        "idle.stopAfter: can't be null while idle.maxUptime is null too: nothing would ever stop the instance; set one of them, or set idle to null")]
    [InlineData("{ \"maxUptime\": \"20m\" }", "idle.maxUptime: must be longer than idle.grace (30m by default), but is \"20m\"")]
    [InlineData("{ \"maxUptime\": \"1h\", \"grace\": \"60m\" }", "idle.maxUptime: must be longer than idle.grace (1h), but is \"1h\"")]
    public void An_invalid_idle_setting_is_rejected_with_the_reason(string value, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith($"\"idle\": {value}")));
}
