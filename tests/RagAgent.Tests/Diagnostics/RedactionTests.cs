using System.Text.Json;
using System.Text.Json.Nodes;
using RagAgent.Diagnostics;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Diagnostics;

/// <summary>A support bundle contains no value that may be meant for the app alone.</summary>
public sealed class RedactionTests
{
    [Fact]
    public void Environment_values_in_a_configuration_are_masked()
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

    [Theory]
    [InlineData("""{ "enviroment": { "TOKEN": "hunter2" } }""", """{ "enviroment": "***" }""")]
    [InlineData("""{ "container": { "name": "app", "environment": { "TOKEN": "hunter2" } } }""", """{ "container": { "name": "app", "environment": "***" } }""")]
    [InlineData("""{ "environment": "hunter2", "aws": "hunter2", "secrets": "hunter2" }""", """{ "environment": "***", "aws": "***", "secrets": "***" }""")]
    [InlineData("""{ "environment": { "hunter2=x": 1 }, "secrets": { "sk hunter2": "/x" } }""", """{ "environment": { "***": "***" }, "secrets": { "***": "***" } }""")]
    [InlineData(
        """{ "secrets": { "KEY": "hunter2", "B": { "credential": "hunter2", "hunter2": 1, "file": "/run/b" } } }""",
        """{ "secrets": { "KEY": "***", "B": { "credential": "***", "***": "***", "file": "/run/b" } } }""")]
    [InlineData(
        """{ "image": ["hunter2"], "tls": { "key": "hunter2" }, "dns": { "token": "hunter2", "name": "rag.example.com" } }""",
        """{ "image": "***", "tls": { "key": "***" }, "dns": { "token": "***", "name": "rag.example.com" } }""")]
    [InlineData("""{ "image": "sk-0123456789hunter2hunter2" }""", """{ "image": "***" }""")]
    [InlineData("""["hunter2"]""", """["***"]""")]
    public void Configuration_values_not_known_to_be_harmless_are_masked(string text, string expected)
    {
        Assert.DoesNotContain("hunter2", Redaction.Configuration(text), StringComparison.Ordinal);
        Assert.Equal(Spaceless(expected), Spaceless(Redaction.Configuration(text)));
    }

    [Fact]
    public void Every_value_of_the_sample_configuration_is_shown()
    {
        var sample = RepositoryFiles.Read("packaging/ragagent.json");
        var complete = JsonNode.Parse(
            sample, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Assert.True(JsonNode.DeepEquals(complete, JsonNode.Parse(Redaction.Configuration(sample))));
    }

    [Fact]
    public void User_and_password_in_URLs_are_masked() =>
        Assert.Equal(
            "http://***@proxy:3128, https://***@github.com/a@b and https://host/a@b?c://d ftp://***@h",
            Redaction.UrlCredentials("http://me:hun@ter2@proxy:3128, https://token@github.com/a@b and https://host/a@b?c://d ftp://a:b@h"));

    [Theory]
    [InlineData("Environment=TOKEN=hunter2 \"B=hunter2 hunter2\" 'C=hunter2'", "Environment=TOKEN=*** B=*** C=***")]
    [InlineData("Environment = $'TOKEN=hunter2\\n\\' hunter2' X=1", "Environment=TOKEN=*** X=***")]
    [InlineData("Environment=PASSWORD=a hunter2", "Environment=PASSWORD=*** ***")]
    [InlineData("Environment=A=1 \\\n  # B=hunter2\n  C=hunter2\nRestart=always", "Environment=A=*** C=***\nRestart=always")]
    [InlineData("#Environment=A=hunter2 \\\n#  B=hunter2\nRestart=always", "#Environment=A=*** *** B=***\nRestart=always")]
    [InlineData("UnsetEnvironment=A=hunter2", "UnsetEnvironment=A=***")]
    [InlineData(
        "SetCredential=openai:hunter2\nSetCredentialEncrypted=b: \\\n hunter2 \\\n hunter2\n\n[Install]",
        "SetCredential=openai:***\nSetCredentialEncrypted=b:***\n\n[Install]")]
    [InlineData("SetCredential=hunter2", "SetCredential=***")]
    [InlineData(
        "Environment=\nSetCredential=\nEnvironmentFiles=/etc/x (ignore_errors=no)\nPassEnvironment=TOKEN\n",
        "Environment=\nSetCredential=\nEnvironmentFiles=/etc/x (ignore_errors=no)\nPassEnvironment=TOKEN\n")]
    public void Variables_and_credentials_in_units_are_masked(string text, string expected) =>
        Assert.Equal(expected, UnitRedaction.Redact(text));

    [Fact]
    public void Docker_inspect_keeps_the_names_of_variables()
    {
        var shown = Redaction.ContainerInspection("""[{ "Id": "x", "Config": { "Env": ["TOKEN=hunter2=", "PATH=/bin"], "Cmd": ["a=b"] } }]""");
        Assert.DoesNotContain("hunter2", shown, StringComparison.Ordinal);
        Assert.Contains("\"TOKEN=***\"", shown, StringComparison.Ordinal);
        Assert.Contains("\"a=b\"", shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"environment\": { \"A\": \"hunter2\" ")]
    public void Invalid_JSON_is_not_shown(string text)
    {
        Assert.StartsWith("Not shown: it is not valid JSON", Redaction.Configuration(text), StringComparison.Ordinal);
        Assert.StartsWith("Not shown: it is not valid JSON", Redaction.ContainerInspection(text), StringComparison.Ordinal);
        Assert.StartsWith("Not shown: it is not valid JSON", Redaction.Document(text), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "image": "\ud800" }""")]
    [InlineData("""{ "\ud800": "app" }""")]
    public void A_lone_surrogate_is_reported_and_nothing_is_shown(string text)
    {
        Assert.StartsWith("Not shown: it contains half of a surrogate pair", Redaction.Configuration(text), StringComparison.Ordinal);
        Assert.StartsWith("Not shown: it contains half of a surrogate pair", Redaction.Document(text), StringComparison.Ordinal);
    }

    private static string Spaceless(string json) => string.Concat(json.Where(character => !char.IsWhiteSpace(character)));
}
