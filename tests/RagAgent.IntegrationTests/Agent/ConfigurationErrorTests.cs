using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A file that can't be used: every mistake with its place, exit code 78, and nothing is touched.</summary>
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
        { $"{{ \"image\": \"ragstream-web\", \"container\": {{ \"volumes\": [ {{ \"host\": \"/data\", \"container\": \"/app/data\" }} ] }} }}", "container.volumes[0].container: " },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_told_with_its_place_by_run_and_by_check(string text, string told)
    {
        File.WriteAllText(ConfigFile, text);

        var run = await RunCommandAsync("run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);
        var check = await RunCommandAsync("config", "check", ConfigFile);

        Assert.Equal(78, run.ExitCode);
        Assert.StartsWith(ConfigFile + ":", run.Error, StringComparison.Ordinal);
        Assert.Contains(told, run.Error, StringComparison.Ordinal);
        Assert.Equal((78, run.Error), (check.ExitCode, check.Error));
        Assert.Empty(Aws.Requests.Snapshot());
    }

    [Fact]
    public async Task Several_mistakes_are_told_at_once()
    {
        File.WriteAllText(ConfigFile, "{\n  \"imgae\": 1,\n  \"listen\": { \"http\": \"80\" },\n  \"restart\": { \"firstDelay\": \"-1s\" }\n}");

        var check = await RunCommandAsync("config", "check", ConfigFile);

        Assert.Equal(78, check.ExitCode);
        Assert.Equal([1, 2, 3, 4], check.Error.Trim().Split('\n').Select(line => int.Parse(line[ConfigFile.Length..].Split(':')[1])).Order());
    }

    [Fact]
    public async Task A_missing_file_is_told_with_what_to_write()
    {
        var run = await RunCommandAsync("run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);

        Assert.Equal(78, run.ExitCode);
        Assert.Contains(ConfigFile, run.Error, StringComparison.Ordinal);
        Assert.Contains("\"image\"", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_good_file_is_told_to_be_valid()
    {
        WriteConfig();
        Assert.Equal($"{ConfigFile} is valid.", (await RunCommandAsync("config", "check", ConfigFile)).AssertSucceeded());
    }

    [Fact]
    public async Task A_bad_file_at_reload_is_told_and_the_old_one_stays_in_use()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        File.WriteAllText(ConfigFile, "{ \"imgae\": \"x\" }");
        await agent.SignalAsync("HUP");

        await WaitUntilAsync(() => Task.FromResult(agent.Log.Contains("The previous one stays in use.", StringComparison.Ordinal)), "the refusal is told");
        await agent.WaitForLogAsync("imgae: unknown key; did you mean 'image'?");
        var problem = Assert.Single((await WaitUntilServingAsync()).Problems);
        Assert.Equal("config-refused", problem.Code);
        Assert.Contains($"can't be used: {ConfigFile}:1:1: image: is missing", problem.What, StringComparison.Ordinal);
        Assert.Contains("(1 more)", problem.What, StringComparison.Ordinal);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));

        WriteConfig();
        await agent.SignalAsync("HUP");
        await WaitForAsync(s => s.Problems.Count == 0, "the mended file is in use");
    }

    [Fact]
    public async Task A_good_file_at_reload_is_used_and_what_it_does_not_touch_goes_on()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        Config["listen"]!["http"] = FreePort();
        WriteConfig();
        await agent.SignalAsync("HUP");

        await WaitForAsync(s => s.App.State == "serving" && s.FrontDoor.Port == Config["listen"]!["http"]!.GetValue<int>(), "the new port is served");
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.False(agent.HasExited);

        Config["environment"] = new System.Text.Json.Nodes.JsonObject { ["NEW"] = "value" };
        WriteConfig();
        await agent.SignalAsync("HUP");

        await WaitUntilAsync(async () => (await Docker.InspectAsync(Name))?["Config"]!["Env"]!.AsArray().Any(e => e!.GetValue<string>() == "NEW=value") == true,
            "the container has the new environment");
    }
}
