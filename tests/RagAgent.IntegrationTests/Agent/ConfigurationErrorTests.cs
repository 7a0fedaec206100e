using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An invalid file: every mistake is reported with its position, the exit code is 78, and nothing is changed.</summary>
public sealed class ConfigurationErrorTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Secrets = "\"secrets\": { \"OPENAI_API_KEY\": \"/ragstream/OPENAI_API_KEY\" }";

    public static TheoryData<string, string> Mistakes => new()
    {
        { "{ \"image\": \"ragstream-web\", ", ":1:" },
        { "image = ragstream-web", ":1:1: " },
        { $"{{ \"imgae\": \"ragstream-web\", {Secrets} }}", "imgae: unknown key; did you mean 'image'?" },
        { $"{{ \"image\": \"ragstream-web\",\n  \"container\": {{ \"prot\": 8501 }} }}", ":2:18: container.prot: unknown key; did you mean 'port'?" },
        { $"{{ \"image\": \"ragstream-web\", \"container\": {{ \"port\": \"8501\" }} }}", "container.port: " },
        { $"{{ \"image\": \"ragstream-web\", \"listen\": {{ \"http\": 99999 }} }}", "listen.http: " },

        {
            $"{{ \"image\": \"ragstream-web\", \"container\": {{ \"volumes\": [ {{ \"host\": \"/data\", \"container\": \"/app/data\" }} ] }} }}",
            "container.volumes[0].container: "
        },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Run_and_config_check_report_a_mistake_with_its_position(string text, string expected)
    {
        File.WriteAllText(ConfigFile, text);

        var run = await RunCommandAsync("run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);
        var check = await RunCommandAsync("config", "check", ConfigFile);

        Assert.Equal(78, run.ExitCode);
        Assert.StartsWith(ConfigFile + ":", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Equal((78, run.Error), (check.ExitCode, check.Error));
        Assert.Empty(Aws.Requests.Snapshot());
    }

    [Fact]
    public async Task Several_configuration_mistakes_are_reported_at_once()
    {
        File.WriteAllText(ConfigFile, "{\n  \"imgae\": 1,\n  \"listen\": { \"http\": \"80\" },\n  \"restart\": { \"firstDelay\": \"-1s\" }\n}");

        var check = await RunCommandAsync("config", "check", ConfigFile);

        Assert.Equal(78, check.ExitCode);
        Assert.Equal(
            [1, 2, 3, 4], check.Error.Trim().Split('\n').Select(line => int.Parse(line[ConfigFile.Length..].Split(':')[1])).Order());
    }

    [Fact]
    public async Task A_missing_configuration_file_is_reported_with_what_to_write()
    {
        var run = await RunCommandAsync("run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);

        Assert.Equal(78, run.ExitCode);
        Assert.Contains(ConfigFile, run.Error, StringComparison.Ordinal);
        Assert.Contains("\"image\"", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_check_confirms_a_valid_file()
    {
        WriteConfig();
        Assert.Equal($"{ConfigFile} is valid.", (await RunCommandAsync("config", "check", ConfigFile)).AssertSucceeded());
    }

    [Fact]
    public async Task Reloading_an_invalid_file_is_reported_and_keeps_the_old_configuration()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        File.WriteAllText(ConfigFile, "{ \"imgae\": \"x\" }");
        await agent.SignalAsync("HUP");

        await agent.WaitForLogAsync("The previous one stays in use.");
        await agent.WaitForLogAsync("imgae: unknown key; did you mean 'image'?");
        var problem = Assert.Single((await WaitUntilServingAsync()).Problems);
        Assert.Equal("config-refused", problem.Code);
        Assert.Contains($"can't be used: {ConfigFile}:1:1: image: is missing", problem.What, StringComparison.Ordinal);
        Assert.Contains("(1 more)", problem.What, StringComparison.Ordinal);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));

        WriteConfig();
        await agent.SignalAsync("HUP");
        await WaitForAsync(s => s.Problems.Count == 0, "the corrected file is in use");
    }

    [Fact]
    public async Task Reloading_a_valid_file_restarts_only_what_it_changes()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        Config["listen"]!["http"] = FreePort();
        WriteConfig();
        await agent.SignalAsync("HUP");

        await WaitForAsync(
            s => s.App.State == "serving" && s.FrontDoor.Port == Config["listen"]!["http"]!.GetValue<int>(), "the new port is served");
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.False(agent.HasExited);

        Config["environment"] = new System.Text.Json.Nodes.JsonObject { ["NEW"] = "value" };
        WriteConfig();
        await agent.SignalAsync("HUP");

        await WaitUntilAsync(
            async () => await Docker.InspectAsync(Name) is { } container &&
                container["Config"]!["Env"]!.AsArray().Any(variable => variable!.GetValue<string>() == "NEW=value"),
            "the container has the new environment");
    }
}
