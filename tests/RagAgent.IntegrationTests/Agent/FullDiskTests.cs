using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A disk that is too small for the next image. The serving app is never affected.</summary>
public sealed class FullDiskTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task A_disk_that_fills_up_during_a_pull_is_freed_of_old_images_and_the_new_image_serves()
    {
        var engine = await StartEngineOnDiskAsync("1000m");
        await PushAsync("ancient", "ancient", "--ballast", "250m");
        var (user, password) = Aws.DockerLogin;
        (await engine.Docker.RunWithInputAsync(
            password, "login", "--username", user, "--password-stdin", Aws.RegistryHost)).AssertSucceeded();
        await engine.Docker.RunCheckedAsync("pull", "--quiet", $"{Repository}:ancient");
        await PushAsync("old");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);

        // 750 MB are free: more than 800 kB of layers seem to need, but less than they unpack to.
        await PushZerosAsync("new", 800_000_000);
        var update = UpdateAsync();
        await agent.WaitForLogAsync($"Pulling {Repository}:latest failed: the disk is full.");
        await agent.WaitForLogAsync("Removed 1 old images");
        await WaitUntilAsync(async () => await ServedVersionAsync() == "new", "the new image serves");

        await update;
        var digest = (await WaitUntilServingAsync()).App.Digest;
        Assert.Equal(0, (await engine.Docker.RunAsync("image", "inspect", $"{Repository}@{digest}")).ExitCode);
        Assert.NotEqual(0, (await engine.Docker.RunAsync("image", "inspect", $"{Repository}:ancient")).ExitCode);
        await WaitUntilAsync(
            async () => await engine.Docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != started,
            "the new container has the configured name");
    }

    [Fact]
    public async Task An_image_that_does_not_fit_is_refused_until_there_is_space_and_the_app_keeps_serving()
    {
        var engine = await StartEngineOnDiskAsync("400m");
        await PushAsync("old");
        StartAgent();
        await WaitUntilServingAsync();
        var started = await engine.Docker.StartedAtAsync(Name);
        await PushAsync("new", "latest", "--ballast", "60m");

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        Assert.Matches(
            $@"^ragagent: the update failed\. Pulling {Repository}:latest needs 44\d MB of disk space \(6\d MB of layers, their unpacked files and a reserve\), " +
            $@"but only 4\d\d MB are free on {engine.Data}\. Free some space",
            update.Error);
        Assert.Equal("disk-full", (await WaitForProblemAsync("disk-full")).Code);
        Assert.Equal("old", await ServedVersionAsync());
        Assert.Equal(started, await engine.Docker.StartedAtAsync(Name));

        await engine.ResizeDiskAsync("1g");
        await WaitUntilAsync(async () => await ServedVersionAsync() == "new", "the new image serves automatically");
    }

    [Fact]
    public async Task A_first_start_on_a_full_disk_waits_for_space()
    {
        var engine = await StartEngineOnDiskAsync("300m");
        await PushAsync("1", "latest", "--ballast", "60m");
        StartAgent();

        await WaitForProblemAsync("disk-full");
        Assert.Empty(await ContainersAsync(engine.Docker));

        await engine.ResizeDiskAsync("1g");
        await WaitUntilServingAsync();
    }

    private async Task<PrivateEngine> StartEngineOnDiskAsync(string size)
    {
        var engine = DisposeWithTest(await PrivateEngine.StartOnSmallDiskAsync(size));
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        return engine;
    }

    /// <summary>Pushes the fake app with a layer that unpacks to a thousand times its compressed size.</summary>
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
