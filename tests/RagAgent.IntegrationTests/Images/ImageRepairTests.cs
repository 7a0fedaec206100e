using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.Common;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>Layers broken by a power cut or a careless person, on a private engine whose files are really broken.</summary>
public sealed class ImageRepairTests(
    EngineFixture engineFixture, PrivateEngine engine) : ImageTestBase(engineFixture), IClassFixture<PrivateEngine>
{
    [Theory]
    [InlineData("the folder of the layer")]
    [InlineData("what is in the layer")]
    [InlineData("its short name")]
    [InlineData("the link to it")]
    [InlineData("an empty list of the layers below")]
    public async Task A_corrupt_layer_is_detected_and_pulled_again(string what)
    {
        await engine.RemoveAllAsync();
        using var imageStack = CreateImageStack(engine.Socket);
        var resolution = await PushAndResolveAsync();
        await imageStack.EnsureAsync(resolution);
        var top = await LayersAsync(resolution);
        top[^1].Corrupt(what);

        // The engine reports the corruption when it creates a container, in five different messages. A pull would report success.
        var refused = await engine.Docker.RunAsync("create", resolution.Image.ToString());
        Assert.True(RagAgent.Containers.EngineProblems.IsCorruptLayer(refused.AssertFailed()), refused.Error);
        Assert.False(await imageStack.Engine.IsIntactAsync(resolution.Image.ToString(), TestCancellation));
        await engine.Docker.RunCheckedAsync("pull", "--quiet", resolution.Image.ToString());
        Assert.False(await imageStack.Engine.IsIntactAsync(resolution.Image.ToString(), TestCancellation));

        Assert.InRange((await imageStack.EnsureAsync(resolution, pullAgain: true)).PulledBytes, 1_000, long.MaxValue);

        Assert.True(await imageStack.Engine.IsIntactAsync(resolution.Image.ToString(), TestCancellation));
        Assert.Equal(
            $"{Repository}:latest",
            await engine.Docker.RunCheckedAsync("image", "inspect", "--format", "{{index .RepoTags 0}}", resolution.Image.ToString()));
        Assert.Empty(await engine.Docker.RunCheckedAsync("ps", "--all", "--quiet"));
    }

    [Fact]
    public async Task A_corrupt_image_that_the_registry_can_not_provide_is_left_alone()
    {
        await engine.RemoveAllAsync();
        using var imageStack = CreateImageStack(engine.Socket);
        var resolution = await PushAndResolveAsync();
        await imageStack.EnsureAsync(resolution);
        (await LayersAsync(resolution))[^1].Corrupt("its short name");

        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());
        Assert.Equal(
            "registry-unreachable", (await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution, pullAgain: true))).Code);
        Assert.NotNull(await imageStack.Engine.FindAsync(resolution.Image.ToString(), TestCancellation));

        Aws.Faults.Clear();
        Aws.Faults.Add(Operations.RegistryManifest, new Fault.Error("MANIFEST_UNKNOWN"));
        Assert.Equal(
            "registry-tag-missing", (await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution, pullAgain: true))).Code);
        Assert.NotNull(await imageStack.Engine.FindAsync(resolution.Image.ToString(), TestCancellation));
    }

    [Fact]
    public async Task The_previous_image_stays_if_intact_and_goes_if_it_shares_the_corrupt_layer()
    {
        await engine.RemoveAllAsync();
        using var imageStack = CreateImageStack(engine.Socket);
        var first = await PushAndResolveAsync();
        await imageStack.EnsureAsync(first);
        var second = await PushLayerAsync("more");
        await imageStack.EnsureAsync(second);

        (await LayersAsync(second))[^1].Corrupt("its short name");
        await imageStack.EnsureAsync(second, pullAgain: true);
        Assert.True(await imageStack.Engine.IsIntactAsync(second.Image.ToString(), TestCancellation));
        Assert.True(await imageStack.Engine.IsIntactAsync(first.Image.ToString(), TestCancellation));

        (await LayersAsync(second))[0].Corrupt("what is in the layer");
        await imageStack.EnsureAsync(second, pullAgain: true);
        Assert.True(await imageStack.Engine.IsIntactAsync(second.Image.ToString(), TestCancellation));
        Assert.Null(await imageStack.Engine.FindAsync(first.Image.ToString(), TestCancellation));
    }

    [Fact]
    public async Task A_stopped_container_of_ours_does_not_block_the_repair_of_its_image()
    {
        await engine.RemoveAllAsync();
        using var imageStack = CreateImageStack(engine.Socket);
        var resolution = await PushAndResolveAsync();
        await imageStack.EnsureAsync(resolution);
        await engine.Docker.RunCheckedAsync("create", "--label", $"ragagent.name={Name}", resolution.Image.ToString());
        (await LayersAsync(resolution))[^1].Corrupt("what is in the layer");

        await imageStack.EnsureAsync(resolution, pullAgain: true);

        Assert.True(await imageStack.Engine.IsIntactAsync(resolution.Image.ToString(), TestCancellation));
        Assert.Empty(await engine.Docker.RunCheckedAsync("ps", "--all", "--quiet"));
    }

    [Fact]
    public async Task A_broken_image_store_is_reported_with_the_folders_to_remove()
    {
        await engine.RemoveAllAsync();
        using var imageStack = CreateImageStack(engine.Socket);
        var resolution = await PushAndResolveAsync();
        await imageStack.EnsureAsync(resolution);
        var layers = await LayersAsync(resolution);
        // As after a power cut: a file that never reached the disk exists, but is empty.
        await engine.CrashAsync(() => File.WriteAllText(Path.Combine(layers[^1].Record, "cache-id"), ""));

        var detected = await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution));
        Assert.Equal(ProblemCatalog.ImageCorrupt.Code, detected.Code);
        var unrepairable = await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution, pullAgain: true));
        Assert.Equal("image-store-broken", unrepairable.Code);
        Assert.Contains($"remove {engine.Data}/image, {engine.Data}/overlay2 and {engine.Data}/containers", unrepairable.Remedy, StringComparison.Ordinal);

        await engine.CrashAsync(() =>
        {
            foreach (var folder in (string[])["image", "overlay2", "containers"])
            {
                Directory.Delete(Path.Combine(engine.Data, folder), recursive: true);
            }
        });
        await imageStack.EnsureAsync(resolution);
        Assert.True(await imageStack.Engine.IsIntactAsync(resolution.Image.ToString(), TestCancellation));
    }

    private Task<IReadOnlyList<EngineLayer>> LayersAsync(Resolution resolution) =>
        EngineLayer.ListAsync(engine, resolution.Image.ToString());
}
