using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigValueTests
{
    [Theory]
    [InlineData("\"aws\": null", "aws: must be an object { … }, but is null; remove the key to use its default")]
    [InlineData("\"container\": []", "container: must be an object { … }, but is a list")]
    [InlineData("\"container\": { \"volumes\": {} }", "container.volumes: must be a list [ … ], but is an object")]
    [InlineData("\"container\": { \"port\": \"8501\" }", "container.port: must be a port like 8501, but is a string; remove the quotes")]
    [InlineData("\"container\": { \"port\": null }", "container.port: must be a port like 8501, but is null; remove the key to use its default")]
    [InlineData("\"container\": { \"name\": 7 }", "container.name: must be a name like \"ragstream\", but is a number; put it in double quotes")]
    [InlineData("\"container\": { \"user\": 1000 }", "container.user: must be a user like \"1000:1000\", or null, but is a number; put it in double quotes")]
    [InlineData("\"container\": { \"readOnlyRoot\": \"true\" }", "container.readOnlyRoot: must be a boolean (true or false), but is a string; remove the quotes")]
    [InlineData("\"container\": { \"memory\": true }", "container.memory: must be a size like \"512m\" or \"4g\", but is a boolean")]
    [InlineData("\"container\": { \"stopTimeout\": [] }", "container.stopTimeout: must be a duration like \"20s\", but is a list")]
    [InlineData("\"health\": { \"liveness\": { \"failures\": \"4\" } }", "health.liveness.failures: must be a whole number like 4, but is a string; remove the quotes")]
    [InlineData("\"update\": { \"idleAfter\": 900 }", "update.idleAfter: must be a duration like \"15m\", but is a number; write \"900s\"")]
    [InlineData("\"update\": { \"waitAtMost\": null }", "update.waitAtMost: must be a duration like \"24h\", but is null; remove the key to use its default")]
    [InlineData("\"update\": { \"when\": 1 }", "update.when: must be \"idle\" or \"now\", but is a number")]
    [InlineData("\"$schema\": 1", "$schema: must be a string, but is a number; put it in double quotes")]
    public void A_wrong_type_is_reported_with_the_found_and_the_expected_one(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith(members)));

    [Theory]
    [InlineData("\"container\": { \"port\": 0 }", "container.port: must be a whole number from 1 to 65535, but is 0")]
    [InlineData("\"container\": { \"port\": 65536 }", "container.port: must be a whole number from 1 to 65535, but is 65536")]
    [InlineData("\"container\": { \"port\": 80.5 }", "container.port: must be a whole number from 1 to 65535, but is 80.5")]
    [InlineData("\"listen\": { \"http\": -1 }", "listen.http: must be a whole number from 1 to 65535, but is -1")]
    [InlineData("\"container\": { \"cpus\": 0 }", "container.cpus: must be a number from 0.01 to 1024, but is 0")]
    [InlineData("\"container\": { \"cpus\": 1e999 }", "container.cpus: must be a number from 0.01 to 1024, but is 1e999")]
    [InlineData("\"container\": { \"memory\": \"5m\" }", "container.memory: must be from 6m (the engine's minimum) to 16t, but is \"5m\"")]
    [InlineData("\"container\": { \"memory\": 1024 }", "container.memory: must be from 6m (the engine's minimum) to 16t, but is 1024 bytes")]
    [InlineData("\"container\": { \"memory\": 1.5 }", "container.memory: must be a whole number of bytes, but is 1.5; or use a string like \"512m\"")]
    [InlineData("\"container\": { \"memory\": \"512\" }", "container.memory: must be a size like \"512m\" or \"4g\", but is \"512\"; write \"512m\"")]
    [InlineData("\"container\": { \"name\": \"-x\" }", "container.name: must be 2 to 128 letters, digits, '_', '.' or '-', beginning with a letter or digit, but is \"-x\"")]
    [InlineData("\"container\": { \"user\": \"a:b:c\" }", "container.user: must be a user, optionally with a group, like \"1000\", \"1000:1000\" or \"app\", but is \"a:b:c\"")]
    [InlineData(
        "\"container\": { \"user\": \"99999999999\" }",
        "container.user: must be a user, optionally with a group, like \"1000\", \"1000:1000\" or \"app\", but is \"99999999999\"")]
    [InlineData("\"container\": { \"stopTimeout\": \"11m\" }", "container.stopTimeout: must be from 0s to 10m, but is \"11m\"")]
    [InlineData("\"aws\": { \"region\": \"eu-central-1a\" }", "aws.region: must be a region, not an availability zone, but is \"eu-central-1a\"; write \"eu-central-1\"")]
    [InlineData("\"aws\": { \"region\": \"Frankfurt\" }", "aws.region: must be a region like \"eu-central-1\", but is \"Frankfurt\"")]
    [InlineData("\"update\": { \"when\": \"idel\" }", "update.when: must be \"idle\" or \"now\", but is \"idel\"; did you mean \"idle\"?")]
    [InlineData("\"update\": { \"hold\": \"6m\" }", "update.hold: must be from 0s to 5m, but is \"6m\"")]
    [InlineData("\"update\": { \"idleAfter\": \"500ms\" }", "update.idleAfter: must be from 1s to 24h, but is \"500ms\"")]
    [InlineData("\"update\": { \"idleAfter\": \"25h\" }", "update.idleAfter: must be from 1s to 24h, but is \"25h\"")]
    [InlineData("\"update\": { \"waitAtMost\": \"59s\" }", "update.waitAtMost: must be from 1m to 720h, but is \"59s\"")]
    [InlineData("\"update\": { \"waitAtMost\": \"721h\" }", "update.waitAtMost: must be from 1m to 720h, but is \"721h\"")]
    [InlineData("\"update\": { \"idleafter\": \"15m\" }", "update.idleafter: unknown key; did you mean 'idleAfter'?")]
    [InlineData("\"update\": { \"every\": \"9s\" }", "update.every: must be from 10s to 168h, but is \"9s\"")]
    public void An_invalid_value_is_reported_with_the_valid_ones(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith(members)));

    [Theory]
    [InlineData("\"startup\": { \"path\": \"health\" }", "startup.path: must begin with '/', but is \"health\"; give only the path; the container determines host and port")]
    [InlineData(
        "\"startup\": { \"path\": \"/a b\" }",
        "startup.path: must be a path of ASCII characters, without spaces, '#' and backslashes, but is \"/a b\"; percent-encode others, as in %20")]
    [InlineData("\"startup\": { \"interval\": \"50ms\" }", "startup.interval: must be from 100ms to 1h, but is \"50ms\"")]
    [InlineData("\"startup\": { \"timeout\": \"0s\" }", "startup.timeout: must be from 1ms to 5m, but is \"0s\"")]
    [InlineData("\"startup\": { \"deadline\": \"2s\" }", "startup.deadline: must be longer than health.startup.interval (2s), but is \"2s\"")]
    [InlineData("\"startup\": { \"interval\": \"10m\" }", "startup.interval: must be shorter than health.startup.deadline (10m by default), but is \"10m\"")]
    [InlineData("\"gate\": { \"webSocket\": \"x\" }", "gate.webSocket: must begin with '/', but is \"x\"; give only the path; the container determines host and port")]
    [InlineData("\"gate\": { \"path\": 1 }", "gate.path: must be a path like \"/_stcore/health\" or null, but is a number; put it in double quotes")]
    [InlineData("\"liveness\": { \"timeout\": \"6m\" }", "liveness.timeout: must be from 1ms to 5m, but is \"6m\"")]
    [InlineData("\"liveness\": { \"failures\": 0 }", "liveness.failures: must be a whole number from 1 to 1000, but is 0")]
    public void Invalid_probe_settings_are_rejected(string members, string expected) =>
        Assert.Equal($"health.{expected}", AssertSingleError(ConfigWith($"\"health\": {{ {members} }}")));

    [Theory]
    [InlineData("\"title\": \"\"", "title: must be a single line of 1 to 80 characters, but is \"\"")]
    [InlineData("\"title\": 1", "title: must be a string like \"RAGstream\" or null, but is a number; put it in double quotes")]
    [InlineData("\"accent\": \"red\"", "accent: must be '#' and three or six hexadecimal digits, like \"#d97706\", but is \"red\"")]
    [InlineData("\"accent\": \"#12345;}\"", "accent: must be '#' and three or six hexadecimal digits, like \"#d97706\", but is \"#12345;}\"")]
    [InlineData("\"logo\": \"logo.svg\"", "logo: must be an absolute path, beginning with '/', but is \"logo.svg\"")]
    [InlineData("\"logo\": \"/etc/logo.gif\"", "logo: must end in .svg, .png, .jpg, .jpeg or .webp, but is \"/etc/logo.gif\"")]
    [InlineData("\"details\": \"ful\"", "details: must be \"brief\" or \"full\", but is \"ful\"; did you mean \"full\"?")]
    public void Invalid_page_settings_are_rejected(string member, string expected) =>
        Assert.Equal($"page.{expected}", AssertSingleError(ConfigWith($"\"page\": {{ {member} }}")));

    [Theory]
    [InlineData("#D97706")]
    [InlineData("#abc")]
    public void Colours_with_three_or_six_digits_are_accepted(string accent) =>
        Assert.Equal(accent, AssertAccepted(ConfigWith($"\"page\": {{ \"accent\": \"{accent}\" }}")).Page.Accent);

    [Theory]
    [InlineData("\"firstDelay\": \"99ms\"", "firstDelay: must be from 100ms to 1h, but is \"99ms\"")]
    [InlineData("\"firstDelay\": \"3m\"", "firstDelay: must be at most restart.maxDelay (2m by default), but is \"3m\"; set restart.maxDelay too")]
    [InlineData("\"firstDelay\": \"5s\", \"maxDelay\": \"4s\"", "maxDelay: must be at least restart.firstDelay (5s), but is \"4s\"")]
    [InlineData("\"resetAfter\": \"500ms\"", "resetAfter: must be from 1s to 24h, but is \"500ms\"")]
    public void Contradictory_restart_delays_are_rejected(string members, string expected) =>
        Assert.Equal($"restart.{expected}", AssertSingleError(ConfigWith($"\"restart\": {{ {members} }}")));

    [Fact]
    public void Values_are_not_compared_while_one_of_them_is_invalid() =>
        Assert.Equal(
            "restart.maxDelay: must be from 100ms to 24h, but is \"0s\"",
            AssertSingleError(ConfigWith("\"restart\": { \"firstDelay\": \"5s\", \"maxDelay\": \"0s\" }")));
}
