using RagAgent.Configuration.Errors;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class UnknownKeyTests
{
    [Theory]
    [InlineData("\"container\": { \"prot\": 1 }", "container.prot: unknown key; did you mean 'port'?")]
    [InlineData("\"container\": { \"stop_timeout\": \"20s\" }", "container.stop_timeout: unknown key; did you mean 'stopTimeout'?")]
    [InlineData("\"Container\": {}", "Container: unknown key; did you mean 'container'?")]
    [InlineData("\"env\": {}", "env: unknown key; did you mean 'environment'?")]
    [InlineData("\"port\": 80", "port: unknown key here; did you mean container.port?")]
    [InlineData("\"ports\": 80", "ports: unknown key here; did you mean container.port?")]
    [InlineData("\"health\": { \"interval\": \"1s\" }", "health.interval: unknown key here; did you mean health.startup.interval or health.liveness.interval?")]
    [InlineData("\"listen\": { \"port\": 80 }", "listen.port: unknown key here; did you mean container.port?")]
    [InlineData("\"restart\": { \"zzzzz\": 1 }", "restart.zzzzz: unknown key; the keys here are firstDelay, maxDelay, resetAfter")]
    [InlineData("\"listen\": { \"a\\nb\": 1 }", "listen.\"a?b\": unknown key; the keys here are http, https, basePath")]
    public void An_unknown_key_is_rejected_with_a_suggestion(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith(members)));

    [Fact]
    public void An_unknown_key_in_a_list_entry_names_the_entry() =>
        Assert.Equal(
            "container.volumes[1].readonly: unknown key; did you mean 'readOnly'?",
            AssertSingleError(ConfigWith(
                "\"container\": { \"volumes\": [ { \"host\": \"/a\", \"container\": \"/a\" }, "
                + "{ \"host\": \"/b\", \"container\": \"/b\", \"readonly\": true } ] }")));

    [Fact]
    public void A_duplicate_key_is_reported_with_both_lines()
    {
        var problem = Assert.Single(Read("{ \"image\": \"app\",\n \"aws\": {},\n\n \"aws\": {} }").Errors);

        Assert.Equal("ragagent.json:4:2: aws: duplicate key: it is set on line 2 and on line 4; remove one", problem.ToString());
    }

    [Fact]
    public void A_variable_that_is_set_twice_is_a_duplicate_key() =>
        Assert.Equal(
            ["environment.A: duplicate key: it is set twice on line 1; remove one", "secrets.B: duplicate key: it is set twice on line 1; remove one"],
            AssertRejected(ConfigWith("\"environment\": { \"A\": \"1\", \"A\": \"2\" }, \"secrets\": { \"B\": \"/b\", \"B\": \"/b\" }")));

    [Theory]
    [InlineData("zone", null)]
    [InlineData("ab", null)]
    [InlineData("prot", "port")]
    [InlineData("TIMEOUT", "timeout")]
    [InlineData("timeuot", "timeout")]
    public void Only_probable_typos_get_a_suggestion(string word, string? expected) =>
        Assert.Equal(expected, Suggestion.Nearest(word, ["port", "timeout"]));
}
