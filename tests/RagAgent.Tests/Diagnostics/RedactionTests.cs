using RagAgent.Diagnostics;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>What leaves the machine in a support bundle holds no value that an owner may have meant for the app alone.</summary>
public sealed class RedactionTests
{
    [Fact]
    public void Of_a_configuration_the_values_of_the_environment_go()
    {
        var shown = Redaction.Configuration(
            """
            {
              // what runs
              "image": "ragstream-web",
              "environment": { "DATABASE": "postgres://me:hunter2@db", "HF_HOME": "/cache" },
              "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY", },
            }
            """);
        Assert.Equal(
            """
            {
              "image": "ragstream-web",
              "environment": {
                "DATABASE": "***",
                "HF_HOME": "***"
              },
              "secrets": {
                "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY"
              }
            }

            """, shown);
    }

    [Fact]
    public void Of_docker_inspect_the_names_of_variables_stay()
    {
        var shown = Redaction.Inspection("""[{ "Id": "x", "Config": { "Env": ["TOKEN=hunter2=", "PATH=/bin"], "Cmd": ["a=b"] } }]""");
        Assert.DoesNotContain("hunter2", shown, StringComparison.Ordinal);
        Assert.Contains("\"TOKEN=***\"", shown, StringComparison.Ordinal);
        Assert.Contains("\"a=b\"", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"environment\": { \"A\": \"hunter2\" ")]
    public void What_can_not_be_read_is_not_shown(string text)
    {
        Assert.StartsWith("It is not valid JSON, so it is not shown", Redaction.Configuration(text), StringComparison.Ordinal);
        Assert.StartsWith("It is not valid JSON, so it is not shown", Redaction.Inspection(text), StringComparison.Ordinal);
    }
}
