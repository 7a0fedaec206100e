using LocalAws.Requests;
using RagAgent.Common;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>A disk that is too small, before a pull and in the middle of one.</summary>
public sealed class PullDiskSpaceTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task An_image_that_does_not_fit_is_refused_before_a_layer_is_fetched_and_pulled_when_there_is_room()
    {
        var resolution = await PushAndResolveAsync("1", "--ballast", "60m");
        await using var engine = await PrivateEngine.OnSmallDiskAsync("400m");
        using var imageStack = CreateImageStack(engine.Socket);
        Aws.Requests.Clear();

        var refused = await AssertProblemAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal(ProblemCatalog.DiskFull.Code, refused.Code);
        Assert.Matches($@"^Pulling {Repository}:latest needs 44\d MB of disk space \(6\d MB of layers, their unpacked files and a reserve\), but only 4\d\d MB are free on {engine.Data}\.$", refused.What);
        Assert.Single(Aws.Requests.ByOperation(Operations.RegistryBlob));   // the image's configuration, which tells its layers

        await engine.ResizeDiskAsync("600m");
        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);

        // The next version brings a few kB: what it shares with the first is not counted, though 300 MB are more than are free.
        await engine.ResizeDiskAsync("440m");
        var next = await PushLayerAsync("a few bytes");
        Assert.InRange((await imageStack.EnsureAsync(next)).PulledBytes, 1, 100_000);
    }

    [Fact]
    public async Task A_disk_that_fills_up_in_the_middle_of_a_pull_is_told_and_the_pull_succeeds_when_there_is_room()
    {
        var resolution = await PushZerosAsync();
        await using var engine = await PrivateEngine.OnSmallDiskAsync("330m");
        using var imageStack = CreateImageStack(engine.Socket);

        var refused = await AssertProblemAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal((ProblemCatalog.DiskFull.Code, $"Pulling {Repository}:latest failed: the disk is full."), (refused.Code, refused.What));

        await engine.ResizeDiskAsync("1g");
        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
    }

    [Fact]
    public async Task Where_the_free_space_can_not_be_known_the_pull_is_tried()
    {
        var resolution = await PushAndResolveAsync();
        await using var front = await EngineProxy.StartAsync(Path.Combine(Folder, "front.sock"), SharedEngine.LocalPath, async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/info", StringComparison.Ordinal))
            {
                return false;
            }
            context.Response.ContentType = "application/json";
            await EngineProxy.WriteMessageAsync(context, """{"DockerRootDir":"/nowhere/at/all"}""");
            return true;
        });
        using var imageStack = CreateImageStack(front.Socket);

        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
    }

    /// <summary>400 MB that are half a megabyte on the way: no estimate before a pull sees them coming.</summary>
    private Task<Resolution> PushZerosAsync() => PushFromAsync("FROM scratch", zeros => zeros.SetLength(400_000_000));
}
