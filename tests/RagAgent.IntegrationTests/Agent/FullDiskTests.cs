using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A disk that is too small for the next image: the app that serves never pays for it.</summary>
public sealed class FullDiskTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task A_disk_that_fills_up_during_a_pull_is_cleared_of_old_images_and_the_new_one_serves_by_itself()
    {
        var engine = await OnDiskAsync("1000m");
        await PushAsync("ancient", "ancient", "--ballast", "250m");
        var (user, password) = Aws.DockerLogin;
        (await engine.Docker.RunWithInputAsync(password, "login", "--username", user, "--password-stdin", Aws.RegistryHost)).AssertSucceeded();
        await engine.Docker.DoAsync("pull", "--quiet", $"{Repository}:ancient");
        await PushAsync("old");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        // 750 MB are free: more than 800 kB of layers seem to need, and less than they unpack to.
        await PushZerosAsync("new", 800_000_000);
        var update = UpdateAsync();
        await WaitUntilAsync(() => Task.FromResult(agent.Log.Contains($"Pulling {Repository}:latest failed: the disk is full.", StringComparison.Ordinal)), "the full disk is told");
        await WaitUntilAsync(() => Task.FromResult(agent.Log.Contains("Removed 1 old images", StringComparison.Ordinal)), "the old image is removed");
        await WaitUntilAsync(async () => await ServedVersionAsync() == "new", "the new one serves");

        await update;
        Assert.Equal(0, (await engine.Docker.RunAsync("image", "inspect", (await WaitUntilServingAsync()).App.Digest is { } digest ? $"{Repository}@{digest}" : "none")).ExitCode);
        Assert.NotEqual(0, (await engine.Docker.RunAsync("image", "inspect", $"{Repository}:ancient")).ExitCode);
        await WaitUntilAsync(async () => await engine.Docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != started, "it has the name");
    }

    [Fact]
    public async Task Where_nothing_can_be_removed_the_image_is_refused_the_app_serves_on_and_space_is_all_that_it_needs()
    {
        var engine = await OnDiskAsync("400m");
        await PushAsync("old");
        StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);
        await PushAsync("new", "latest", "--ballast", "60m");

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        Assert.Matches($@"^ragagent: the update failed\. Pulling {Repository}:latest needs 44\d MB of disk \(6\d MB of layers, unpacked, and a reserve\), but 4\d\d MB are free on {engine.Data}\. Free some space", update.Error);
        Assert.Equal("disk-full", (await WaitForProblemAsync("disk-full")).Code);
        Assert.Equal("old", await ServedVersionAsync());
        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));

        await engine.ResizeDiskAsync("1g");
        await WaitUntilAsync(async () => await ServedVersionAsync() == "new", "the new one serves by itself");
    }

    [Fact]
    public async Task A_first_start_on_a_disk_that_is_too_small_waits_for_space()
    {
        var engine = await OnDiskAsync("300m");
        await PushAsync("1", "latest", "--ballast", "60m");
        StartAgent();

        await WaitForProblemAsync("disk-full");
        Assert.Empty(await ContainersAsync(engine.Docker));

        await engine.ResizeDiskAsync("1g");
        await WaitUntilServingAsync();
    }

    private async Task<PrivateEngine> OnDiskAsync(string size)
    {
        var engine = DisposeWithTest(await PrivateEngine.OnSmallDiskAsync(size));
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        return engine;
    }

    /// <summary>The fake app with a layer that is a thousand times as large as it is on the way.</summary>
    private async Task PushZerosAsync(string version, long size)
    {
        await PushAsync(version, "base");
        var context = Directory.CreateDirectory(Path.Combine(Folder, "context")).FullName;
        await using (var file = File.Create(Path.Combine(context, "zeros")))
        {
            file.SetLength(size);
        }
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), $"FROM {Repository}:base\nCOPY zeros /zeros\n", TestCancellation);
        await BuildAndPushAsync(context);
        File.Delete(Path.Combine(context, "zeros"));
    }
}
