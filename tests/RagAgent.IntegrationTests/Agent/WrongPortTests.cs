using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Nothing answers on the app's port: the agent says what the container listens on instead.</summary>
public sealed class WrongPortTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Theory]
    [InlineData("FAKE_APP_LISTEN", "8080", "the app listens on port 8080. Its image exposes port 8501.")]
    [InlineData("FAKE_APP_LISTEN", "127.0.0.1:8501", "the app listens there on 127.0.0.1 only")]
    [InlineData("FAKE_APP_START_AFTER", "forever", "it doesn't listen on any port.")]
    public async Task A_wrong_port_is_reported_by_status_doctor_and_journal(string variable, string value, string words)
    {
        ConfigureApp((variable, value));
        await PushAsync();
        var agent = StartAgent();

        var problem = await WaitForProblemAsync("app-wrong-port");

        var sentence = $"Nothing answers on port 8501 of the app's container {Name}: {words}";
        Assert.StartsWith(sentence, problem.What, StringComparison.Ordinal);
        Assert.Matches("It is stopped unless it is ready within [12]m of its start.$", problem.What);   // twice as long under pressure
        await agent.WaitForLogAsync(sentence);
        Assert.Contains(sentence, (await RequestAsync("status")).Output, StringComparison.Ordinal);
        var doctor = await RunCommandAsync("doctor", "--json", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory);
        Assert.Contains(JsonNode.Parse(doctor.Output)!["checks"]!.AsArray(),
            check => check!["what"]!.GetValue<string>().Contains(words, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_image_without_a_shell_and_cat_is_given_up_as_before()
    {
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        Config["container"]!["port"] = 9999;
        Config["health"]!["startup"]!["deadline"] = "40s";
        await PushAsync("1", "latest", "--no-shell");
        var agent = StartAgent();

        await WaitForFailureAsync("app-never-healthy");

        Assert.DoesNotContain("Nothing answers on port", agent.Log, StringComparison.Ordinal);
        Assert.Single(agent.Log.Split('\n'), line => line.Contains("is running; waiting for it to become healthy", StringComparison.Ordinal));
    }
}
