using System.Text.Json.Nodes;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What a person does to the container and its images with docker commands.</summary>
public sealed class ManualDockerTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task Docker_stop_holds_under_the_next_agent_until_start(string end)
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();

        await Docker.RunCheckedAsync("stop", "--time", "1", Name);
        var stopped = await WaitForAsync(s => s.App.State == "stopped", "the app stays stopped");
        Assert.Equal("hand", stopped.App.StoppedBy);
        await first.WaitForLogAsync("stays stopped until 'ragagent start' or the next boot");
        await WaitUntilAsync(
            async () => (await File.ReadAllTextAsync(Path.Combine(StateDirectory, "state.json"), TestCancellation))
                .Contains("hand", StringComparison.OrdinalIgnoreCase),
            "the stop is saved");
        await first.StopAsync(end);

        StartAgent();
        // By then the agent has everything that a start needs.
        var still = await WaitForAsync(
            s => s.Engine.Answers && s.Secrets.ReadAt is not null && s.Image.CheckedAt is not null,
            "the next agent knows everything it needs");
        Assert.Equal(("stopped", "hand"), (still.App.State, still.App.StoppedBy));
        Assert.Equal("false", await Docker.RunCheckedAsync("inspect", "--format", "{{.State.Running}}", Name));

        (await RunCommandAsync("start", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
        Assert.Equal("1", await ServedVersionAsync());
        Assert.Null((await WaitUntilServingAsync()).App.StoppedBy);
    }

    [Fact]
    public async Task Ragagent_stop_holds_under_the_next_agent_until_start()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();

        (await RunCommandAsync("stop", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
        Assert.Empty(await ContainersAsync(Docker));
        await first.StopAsync();
        StartAgent();
        var still = await WaitForAsync(
            s => s.Engine.Answers && s.Secrets.ReadAt is not null && s.Image.CheckedAt is not null,
            "the next agent knows everything it needs");
        Assert.Equal(("stopped", "operator"), (still.App.State, still.App.StoppedBy));
        Assert.Empty(await ContainersAsync(Docker));

        (await RunCommandAsync("start", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
        Assert.Equal("1", await ServedVersionAsync());
    }

    [Fact]
    public async Task Docker_kill_is_treated_as_a_crash_and_not_as_a_stop()
    {
        ConfigureRareProbes();
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        await Docker.RunCheckedAsync("kill", Name);

        var failure = await WaitForFailureAsync("app-exited");
        Assert.Equal((137, 9, false), (failure.Exit!.Code, failure.Exit.Signal, failure.Exit.OutOfMemory));
        await WaitUntilServedAgainAsync(Docker, started, "the app is back");
        Assert.Null((await WaitUntilServingAsync()).App.StoppedBy);
    }

    [Fact]
    public async Task A_container_removed_by_force_is_created_again_with_the_same_mounts()
    {
        var data = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName;
        File.SetUnixFileMode(data, (UnixFileMode)0b111_111_111);
        Config["container"]!["volumes"] = new JsonArray(
            new JsonObject { ["host"] = data, ["container"] = "/app/data/chroma_db" },
            new JsonObject { ["host"] = data, ["container"] = "/app/data/logs", ["readOnly"] = true });
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var mounts = await MountsAsync();
        await Docker.RunCheckedAsync("exec", Name, "/bin/sh", "-c", "echo kept >/app/data/chroma_db/file");

        await Docker.RunCheckedAsync("rm", "--force", Name);

        await WaitForFailureAsync("container-removed");
        await WaitUntilServingAsync();
        Assert.Equal(2, mounts.Length);
        Assert.Equal(mounts, await MountsAsync());
        Assert.Equal("kept", await Docker.RunCheckedAsync("exec", Name, "/bin/sh", "-c", "cat /app/data/logs/file"));
    }

    [Fact]
    public async Task Docker_system_prune_leaves_the_app_and_the_last_known_good_image_is_pulled_again()
    {
        var engine = await StartEngineAsync();
        Config["update"]!["watch"] = "1s";
        await PushAsync("old");
        StartAgent();
        var old = await WaitForAsync(s => s.Rollout.LastGood.Count == 1, "the first image has passed its watch");
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        var current = await WaitForAsync(
            s => s.Rollout.LastGood.Count == 2 && s.Rollout.Phase == "settled", "the second image has passed its watch");
        var started = await engine.Docker.StartedAtAsync(Name);
        var lastGood = $"{Repository}@{old.App.Digest}";
        await engine.Docker.RunCheckedAsync("image", "inspect", lastGood);

        await engine.Docker.RunCheckedAsync("system", "prune", "--all", "--force");
        Assert.NotEqual(0, (await engine.Docker.RunAsync("image", "inspect", lastGood)).ExitCode);

        // No event reports it, so the next inspection of the engine has to find it.
        await WaitUntilAsync(
            async () => (await engine.Docker.RunAsync("image", "inspect", lastGood)).ExitCode == 0, "the image is pulled again");
        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));
        Assert.Equal("new", await ServedVersionAsync());
        // The tag's name stays with the image it points to.
        Assert.Contains(
            $"{Repository}@{current.App.Digest}",
            await engine.Docker.RunCheckedAsync("image", "inspect", "--format", "{{.RepoDigests}}", $"{Repository}:latest"),
            StringComparison.Ordinal);

        Aws.Requests.Clear();
        (await RunCommandAsync("rollback", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
        Assert.Equal("old", await ServedVersionAsync());
        Assert.Empty(Aws.Requests.ByOperation(Operations.RegistryBlob));
    }

    /// <summary>Sorted, because the engine returns mounts in no fixed order.</summary>
    private async Task<string[]> MountsAsync() =>
        [.. (await Docker.InspectAsync(Name))!["Mounts"]!.AsArray().Select(mount => mount!.ToJsonString()).Order(StringComparer.Ordinal)];
}
