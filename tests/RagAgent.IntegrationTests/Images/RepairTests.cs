using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.Common;
using RagAgent.Containers;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>Layers that a power cut, or a hand, has broken. The engine is the test's own, and its files are broken for real.</summary>
public sealed class RepairTests(Bench bench, PrivateEngine engine) : ImageTest(bench), IClassFixture<PrivateEngine>
{
    [Theory]
    [InlineData("the folder of the layer")]
    [InlineData("what is in the layer")]
    [InlineData("its short name")]
    [InlineData("the link to it")]
    [InlineData("an empty list of the layers below")]
    public async Task A_broken_layer_is_told_and_pulled_anew(string what)
    {
        await engine.ClearAsync();
        using var room = Room(engine.Socket);
        var resolution = await PushedAsync();
        await room.EnsureAsync(resolution);
        var top = await LayersAsync(resolution);
        top[^1].Break(what);

        // The engine itself says so when a container is made, in words of five kinds; a pull would say that all is well.
        var refused = await engine.Docker.RunAsync("create", resolution.Image.ToString());
        Assert.True(RagAgent.Containers.EngineProblems.IsCorruptLayer(refused.FailedWith()), refused.Error);
        Assert.False(await room.Engine.IsIntactAsync(resolution.Image.ToString(), Stopping));
        await engine.Docker.DoAsync("pull", "--quiet", resolution.Image.ToString());
        Assert.False(await room.Engine.IsIntactAsync(resolution.Image.ToString(), Stopping));

        Assert.InRange((await room.EnsureAsync(resolution, anew: true)).PulledBytes, 1_000, long.MaxValue);

        Assert.True(await room.Engine.IsIntactAsync(resolution.Image.ToString(), Stopping));
        Assert.Equal($"{Repository}:latest", await engine.Docker.DoAsync("image", "inspect", "--format", "{{index .RepoTags 0}}", resolution.Image.ToString()));
        Assert.Empty(await engine.Docker.DoAsync("ps", "--all", "--quiet"));
    }

    [Fact]
    public async Task A_broken_image_that_the_registry_can_not_give_again_is_left_alone()
    {
        await engine.ClearAsync();
        using var room = Room(engine.Socket);
        var resolution = await PushedAsync();
        await room.EnsureAsync(resolution);
        (await LayersAsync(resolution))[^1].Break("its short name");

        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());
        Assert.Equal("registry-unreachable", (await RefusedAsync(() => room.EnsureAsync(resolution, anew: true))).Code);
        Assert.NotNull(await room.Engine.FindAsync(resolution.Image.ToString(), Stopping));

        Aws.Faults.Clear();
        Aws.Faults.Add(Operations.RegistryManifest, new Fault.Error("MANIFEST_UNKNOWN"));
        Assert.Equal("registry-tag-missing", (await RefusedAsync(() => room.EnsureAsync(resolution, anew: true))).Code);
        Assert.NotNull(await room.Engine.FindAsync(resolution.Image.ToString(), Stopping));
    }

    [Fact]
    public async Task The_version_before_stays_when_it_is_whole_and_goes_when_it_shares_the_broken_layer()
    {
        await engine.ClearAsync();
        using var room = Room(engine.Socket);
        var first = await PushedAsync();
        await room.EnsureAsync(first);
        var second = await PushedUponAsync("more");
        await room.EnsureAsync(second);

        (await LayersAsync(second))[^1].Break("its short name");
        await room.EnsureAsync(second, anew: true);
        Assert.True(await room.Engine.IsIntactAsync(second.Image.ToString(), Stopping));
        Assert.True(await room.Engine.IsIntactAsync(first.Image.ToString(), Stopping));

        (await LayersAsync(second))[0].Break("what is in the layer");
        await room.EnsureAsync(second, anew: true);
        Assert.True(await room.Engine.IsIntactAsync(second.Image.ToString(), Stopping));
        Assert.Null(await room.Engine.FindAsync(first.Image.ToString(), Stopping));
    }

    [Fact]
    public async Task A_container_of_ours_that_ended_is_not_in_the_way()
    {
        await engine.ClearAsync();
        using var room = Room(engine.Socket);
        var resolution = await PushedAsync();
        await room.EnsureAsync(resolution);
        await engine.Docker.DoAsync("create", "--label", $"ragagent.name={Name}", resolution.Image.ToString());
        (await LayersAsync(resolution))[^1].Break("what is in the layer");

        await room.EnsureAsync(resolution, anew: true);

        Assert.True(await room.Engine.IsIntactAsync(resolution.Image.ToString(), Stopping));
        Assert.Empty(await engine.Docker.DoAsync("ps", "--all", "--quiet"));
    }

    [Fact]
    public async Task What_no_call_to_the_engine_repairs_is_said_with_what_does()
    {
        await engine.ClearAsync();
        using var room = Room(engine.Socket);
        var resolution = await PushedAsync();
        await room.EnsureAsync(resolution);
        var layers = await LayersAsync(resolution);
        // As after a power cut: a file that was written and never reached the disk is there and empty.
        await engine.CrashAsync(() => File.WriteAllText(Path.Combine(layers[^1].Record, "cache-id"), ""));

        var told = await RefusedAsync(() => room.EnsureAsync(resolution));
        Assert.Equal(ProblemCodes.ImageCorrupt, told.Code);
        var stuck = await RefusedAsync(() => room.EnsureAsync(resolution, anew: true));
        Assert.Equal("image-store-broken", stuck.Code);
        Assert.Contains($"remove {engine.Data}/image, {engine.Data}/overlay2 and {engine.Data}/containers", stuck.Remedy, StringComparison.Ordinal);

        await engine.CrashAsync(() =>
        {
            foreach (var folder in (string[])["image", "overlay2", "containers"])
            {
                Directory.Delete(Path.Combine(engine.Data, folder), recursive: true);
            }
        });
        await room.EnsureAsync(resolution);
        Assert.True(await room.Engine.IsIntactAsync(resolution.Image.ToString(), Stopping));
    }

    private Task<IReadOnlyList<LayerOnDisk>> LayersAsync(Resolution resolution) => LayerOnDisk.OfAsync(engine, resolution.Image.ToString());
}
