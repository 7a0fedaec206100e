using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigEnvironmentTests
{
    [Theory]
    [InlineData("8080", "must be a string, but is a number; put the value in double quotes")]
    [InlineData("true", "must be a string, but is a boolean; put the value in double quotes")]
    [InlineData("null", "must be a string, but is null; use \"\" for an empty value, or remove the key to leave the variable unset")]
    [InlineData("[]", "must be a string, but is a list")]
    [InlineData("\"a\\u0000b\"", "must not contain a null character (\\u0000)")]
    public void Environment_values_must_be_strings_without_null_characters(string value, string expected) =>
        Assert.Equal($"environment.VALUE: {expected}", AssertSingleError(ConfigWith($$""" "environment": { "VALUE": {{value}} } """)));

    [Theory]
    [InlineData("sk-proj-abcdefghij0123456789")]
    [InlineData("Bearer sk-abcdefghij0123456789")]
    public void An_OpenAI_key_in_the_environment_is_rejected_with_a_hint_to_secrets(string value) =>
        Assert.Equal(
            "environment.OPENAI_API_KEY: looks like an OpenAI key, and the engine stores the environment on disk; "
            + "put the key in Parameter Store and name the parameter in secrets: \"secrets\": { \"OPENAI_API_KEY\": \"/ragstream/OPENAI_API_KEY\" }",
            AssertSingleError(ConfigWith($$""" "environment": { "OPENAI_API_KEY": "{{value}}" } """)));

    [Theory]
    [InlineData("risk-management-of-everything")]
    [InlineData("sk-short")]
    [InlineData("sk-with spaces in between it")]
    public void An_environment_value_that_only_resembles_an_OpenAI_key_is_accepted(string value) =>
        Assert.Equal(value, AssertAccepted(ConfigWith($$""" "environment": { "MY_TOKEN": "{{value}}" } """)).Environment["MY_TOKEN"]);

    [Fact]
    public void An_environment_variable_longer_than_Linux_allows_is_rejected() =>
        Assert.Equal(
            "environment.LONG: must be shorter than 128 KiB, including its name",
            AssertSingleError(ConfigWith($$""" "environment": { "LONG": "{{new string('a', 131072)}}" } """)));
}
