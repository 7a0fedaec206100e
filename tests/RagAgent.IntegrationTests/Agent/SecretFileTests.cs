using System.Net;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Secrets that the app reads from files.</summary>
public sealed class SecretFileTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    private const string SecretFile = "/run/secrets/openai";
    private const string Rotated = "sk-rotated-0123456789";

    [Theory]
    [InlineData(null, false, "10001:10001")]
    [InlineData(null, true, "10001:10001")]
    [InlineData("1234:55", true, "1234:55")]
    [InlineData("app", false, "10001:10001")]
    public async Task The_app_reads_its_secret_from_a_file_that_only_its_user_can_read(string? user, bool readOnlyRoot, string owner)
    {
        Config["container"]!["user"] = user;
        Config["container"]!["readOnlyRoot"] = readOnlyRoot;
        ConfigureFile(SecretFile);
        await PushAsync();
        StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Equal(Key, await InContainerAsync("cat", SecretFile));
        Assert.Equal($"400 {owner}", (await InContainerAsync("stat", "-c", "%a %u:%g", SecretFile)).Trim());
        Assert.Contains("tmpfs /run/secrets tmpfs ", await InContainerAsync("cat", "/proc/mounts"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/key-sha256")).Status);   // it is no variable
        Assert.Equal([$"OPENAI_API_KEY (version 1 of parameter {Parameter}, in {SecretFile})"], status.Secrets.Versions);
    }

    [Fact]
    public async Task The_file_of_Streamlit_has_the_variables()
    {
        Aws.Parameters.Put("/ragstream/QUOTES", "a \"quoted\" \\ back\nline");
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = Parameter, ["QUOTES"] = "/ragstream/QUOTES" };
        Config["container"]!["streamlitSecrets"] = true;
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        var file = (await InContainerAsync("sh", "-c", "echo $STREAMLIT_SECRETS_FILES")).Trim();
        Assert.Equal("/run/ragagent/secrets.toml", file);
        Assert.Equal(
            $"OPENAI_API_KEY = \"{Key}\"\nQUOTES = \"a \\u0022quoted\\u0022 \\\\ back\\u000Aline\"", await InContainerAsync("cat", file));
        Assert.Equal("400 10001:10001", (await InContainerAsync("stat", "-c", "%a %u:%g", file)).Trim());
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/key-sha256")).Status);   // it is also a variable
    }

    [Fact]
    public async Task The_secret_is_in_no_file_of_the_engine_and_in_no_output()
    {
        const string Plain = "planted-in-the-environment";
        var engine = await StartEngineAsync();
        Config["environment"] = new JsonObject { ["PLAIN"] = Plain };
        Config["secrets"] = new JsonObject
        {
            ["A_FILE"] = new JsonObject { ["ssm"] = Parameter, ["path"] = SecretFile },
            ["OPENAI_API_KEY"] = Parameter,
        };
        Config["container"]!["streamlitSecrets"] = true;
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        Assert.Equal(Key, await engine.Docker.RunCheckedAsync("exec", Name, "cat", SecretFile));

        await AssertKeyIsNowhereAsync();
        (await RequestAsync("stop")).AssertSucceeded();
        await AssertKeyIsNowhereAsync();

        async Task AssertKeyIsNowhereAsync()
        {
            Assert.Equal("", await FindAsync(Key, engine.Data, RuntimeDirectory, StateDirectory));
            Assert.DoesNotContain(Key, agent.Log, StringComparison.Ordinal);
            if (await engine.Docker.InspectAsync(Name) is { } inspected)
            {
                Assert.NotEqual("", await FindAsync(Plain, engine.Data));   // the search finds what the engine stores
                Assert.DoesNotContain(Key, inspected.ToJsonString(), StringComparison.Ordinal);
                Assert.DoesNotContain(Key, await engine.Docker.RunCheckedAsync("logs", Name), StringComparison.Ordinal);
                Assert.DoesNotContain(Key, await engine.Docker.RunCheckedAsync("top", Name), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_rotated_secret_is_in_the_file_after_the_next_crash()
    {
        ConfigureRareProbes();
        ConfigureFile(SecretFile);
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        Aws.Parameters.Put(Parameter, Rotated);
        var started = await Docker.StartedAtAsync(Name);

        await Docker.RunCheckedAsync("kill", Name);
        await WaitUntilServedAgainAsync(Docker, started, "the app is back");

        Assert.Equal(Rotated, await InContainerAsync("cat", SecretFile));
    }

    [Fact]
    public async Task A_container_with_files_is_adopted_and_one_restarted_by_hand_is_replaced()
    {
        ConfigureRareProbes();
        ConfigureFile(SecretFile);
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        await first.StopAsync();
        StartAgent();
        await WaitUntilServingAsync();
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        var id = await ContainersAsync(Docker);

        await Docker.RunAsync("restart", "--time", "1", Name);

        await WaitUntilAsync(
            async () => (await ContainersAsync(Docker)) is [var now] && now != id[0] && (await GetAsync()).Status == HttpStatusCode.OK,
            "a new container serves");
        Assert.Equal(Key, await InContainerAsync("cat", SecretFile));
    }

    [Fact]
    public async Task An_image_that_has_the_folder_of_the_secrets_is_refused()
    {
        ConfigureFile("/app/data/agents/key");
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("secrets-folder-taken");

        Assert.Equal("The image already has /app/data/agents, which the folder with the secrets would hide.", failure.Problem.What);
        Assert.Equal("", await Docker.RunCheckedAsync("ps", "--quiet", "--filter", $"label=ragagent.name={Name}"));
    }

    [Fact]
    public async Task An_image_without_a_shell_can_not_get_files()
    {
        ConfigureFile(SecretFile);
        await PushAsync("1", "latest", "--no-shell");
        StartAgent();

        Assert.Equal("Add a shell to the image: secrets in files need one.", (await WaitForFailureAsync("image-without-shell")).Problem.Remedy);
    }

    private void ConfigureFile(string path) =>
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["ssm"] = Parameter, ["path"] = path } };

    private Task<string> InContainerAsync(params string[] command) => Docker.RunCheckedAsync(["exec", Name, .. command]);

    /// <summary>The files that contain a text.</summary>
    private static async Task<string> FindAsync(string text, params string[] folders)
    {
        string[] options = ["--recursive", "--files-with-matches", "--text", "--fixed-strings", "--devices=skip", "-e"];
        return (await ProcessRunner.RunAsync("grep", [.. options, text, .. folders])).Output;
    }
}
