using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigSecretsTests
{
    private const string OpenAiKey = "sk-proj-abcdefghij0123456789ABCDEFGHIJ";

    [Fact]
    public void A_parameter_without_a_path_needs_the_long_form()
    {
        Assert.Equal(new SecretConfig(SecretSource.Ssm, "openai.key_1-a"), AssertAccepted(ConfigWith(""" "secrets": { "KEY": { "ssm": "openai.key_1-a" } } """)).Secrets["KEY"]);
        Assert.Equal(
            "secrets.KEY: must begin with '/', like \"/ragstream/KEY\"; for a parameter without a path, write { \"ssm\": \"NAME\" }; never put the secret itself here",
            AssertSingleError(ConfigWith(""" "secrets": { "KEY": "hunter2hunter2" } """)));
    }

    [Theory]
    [InlineData("/ragstream/OPENAI_API_KEY")]
    [InlineData("/ragstream/OPENAI_API_KEY:3")]
    [InlineData("/ragstream/OPENAI_API_KEY:prod-label")]
    [InlineData("arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY")]
    [InlineData("arn:aws-cn:ssm:cn-north-1:123456789012:parameter/openai:3")]
    [InlineData("/aws/reference/secretsmanager/ragstream/openai+test@home=1")]
    public void Every_form_of_a_parameter_name_is_accepted(string name)
    {
        var config = AssertAccepted(ConfigWith($$""" "secrets": { "KEY": "{{name}}", "OTHER": { "ssm": "{{name}}", "json": null } } """));

        Assert.Equal(new SecretConfig(SecretSource.Ssm, name), config.Secrets["KEY"]);
        Assert.Equal(new SecretConfig(SecretSource.Ssm, name), config.Secrets["OTHER"]);
    }

    [Theory]
    [InlineData("\"\"", "must name a parameter, like \"/ragstream/OPENAI_API_KEY\"; it is empty")]
    [InlineData("\"ragstream/key\"", "must begin with '/'; a parameter name that contains '/' also begins with it")]
    [InlineData("\"/ragstream/\"", "must have a name between slashes and after the last one")]
    [InlineData("\"/a//b\"", "must have a name between slashes and after the last one")]
    [InlineData("\"my secret\"", "must be a parameter name: letters, digits and _ . - /; no spaces, no quotes, and not the value itself")]
    [InlineData("\"/a:\"", "must have a version or a label after the ':', like \"/ragstream/OPENAI_API_KEY:3\"")]
    [InlineData("\"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16\"", "must have at most 15 levels")]
    [InlineData("\"arn:aws:s3:::bucket/key\"", "must be an ARN like \"arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY\"")]
    [InlineData(
        "\"" + OpenAiKey + "\"",
        "must name a parameter, like \"/ragstream/OPENAI_API_KEY\"; this looks like the key itself: put the key in Parameter Store and its parameter name here")]
    [InlineData("7", "must be a parameter name like \"/ragstream/OPENAI_API_KEY\", or an object { \"ssm\" or \"file\" or \"credential\": … }, but is a number")]
    [InlineData("null", "must be a parameter name like \"/ragstream/OPENAI_API_KEY\", or an object { \"ssm\" or \"file\" or \"credential\": … }, but is null")]
    [InlineData("{}", "has no source; set one of \"ssm\", \"file\" and \"credential\"")]
    [InlineData("{ \"ssm\": \"/a\", \"file\": \"/b\" }", "has 2 sources (ssm, file); keep one")]
    public void An_invalid_source_of_a_secret_is_rejected(string value, string expected) =>
        Assert.Equal($"secrets.KEY: {expected}", AssertSingleError(ConfigWith($$""" "secrets": { "KEY": {{value}} } """)));

    [Theory]
    [InlineData("\"ssm\": 1", "ssm: must be a parameter name like \"/ragstream/OPENAI_API_KEY\", but is a number")]
    [InlineData("\"file\": \"key.txt\"", "file: must be an absolute path, beginning with '/'")]
    [InlineData("\"credential\": \"a/b\"", "credential: must be the name of a systemd credential: letters, digits, '_', '.' and '-' only; for any other file, use \"file\"")]
    [InlineData("\"ssm\": \"/a\", \"json\": \"\"", "json: must be a field name of 1 to 255 characters")]
    [InlineData("\"ssm\": \"/a\", \"delivery\": \"env\"", "delivery: must be \"memory\" or \"environment\"")]
    public void An_invalid_value_in_a_source_is_rejected_and_not_shown(string members, string expected) =>
        Assert.Equal($"secrets.KEY.{expected}", AssertSingleError(ConfigWith($$""" "secrets": { "KEY": { {{members}} } } """)));

    [Fact]
    public void An_unknown_key_in_a_source_is_not_shown() =>
        Assert.Equal("secrets.KEY: unknown key; did you mean 'file'?", AssertSingleError(ConfigWith(""" "secrets": { "KEY": { "ssm": "/a", "fiel": 1 } } """)));

    [Theory]
    [InlineData("secrets", "\"/a\"")]
    [InlineData("environment", "\"a\"")]
    public void An_invalid_variable_name_is_rejected_and_not_shown(string section, string value) =>
        Assert.Equal(
            $"{section}: every name must be a valid environment variable name: letters, digits and '_', no digit first, like \"OPENAI_API_KEY\"",
            AssertSingleError(ConfigWith($$""" "{{section}}": { "{{OpenAiKey}}": {{value}} } """)));

    [Fact]
    public void A_name_in_both_secrets_and_environment_is_rejected_with_both_lines() =>
        Assert.Equal(
            ["ragagent.json:3:20: environment.KEY: is also in secrets (line 2); keep only one of them"],
            ErrorLines("{ \"image\": \"app\",\n  \"secrets\": { \"KEY\": \"/a\" },\n  \"environment\": { \"KEY\": \"b\" } }"));
}
