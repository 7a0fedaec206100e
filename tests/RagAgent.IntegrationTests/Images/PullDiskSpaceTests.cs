using LocalAws.Requests;
using RagAgent.Common;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>A disk that is too small, before and during a pull.</summary>
public sealed class PullDiskSpaceTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task An_image_that_does_not_fit_is_refused_before_pulling_and_pulled_once_there_is_space()
    {
        var resolution = await PushAndResolveAsync("1", "--ballast", "60m");
        await using var engine = await PrivateEngine.StartOnSmallDiskAsync("400m");
        using var imageStack = CreateImageStack(engine.Socket);
        Aws.Requests.Clear();

        var refused = await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal(ProblemCatalog.DiskFull.Code, refused.Code);
        Assert.Matches(
            $@"^Pulling {Repository}:latest needs 44\d MB of disk space \(6\d MB of layers, their unpacked files and a reserve\), but only 4\d\d MB are free on {engine.Data}\.$",
            refused.What);
        Assert.Single(Aws.Requests.ByOperation(Operations.RegistryBlob));   // the image's configuration, which lists its layers

        await engine.ResizeDiskAsync("600m");
        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);

        // The next version adds a few kB. Shared layers are not counted, although they are larger than the free space.
        await engine.ResizeDiskAsync("440m");
        var next = await PushLayerAsync("a few bytes");
        Assert.InRange((await imageStack.EnsureAsync(next)).PulledBytes, 1, 100_000);
    }

    [Fact]
    public async Task A_disk_that_fills_up_during_a_pull_is_reported_and_the_pull_succeeds_with_more_space()
    {
        var resolution = await PushZerosAsync();
        await using var engine = await PrivateEngine.StartOnSmallDiskAsync("330m");
        using var imageStack = CreateImageStack(engine.Socket);

        var refused = await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal((ProblemCatalog.DiskFull.Code, $"Pulling {Repository}:latest failed: the disk is full."), (refused.Code, refused.What));

        await engine.ResizeDiskAsync("1g");
        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
    }

    [Fact]
    public async Task A_pull_is_tried_if_the_free_space_is_unknown()
    {
        var resolution = await PushAndResolveAsync();
        await using var proxy = await EngineProxy.StartAsync(Path.Combine(Folder, "proxy.sock"), SharedEngine.LocalPath, async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/info", StringComparison.Ordinal))
            {
                return false;
            }
            context.Response.ContentType = "application/json";
            await EngineProxy.WriteMessageAsync(context, """{"DockerRootDir":"/nowhere/at/all"}""");
            return true;
        });
        using var imageStack = CreateImageStack(proxy.Socket);

        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
    }

    /// <summary>Pushes 400 MB that compress to half a megabyte, so that no estimate before a pull can predict them.</summary>
    private Task<Resolution> PushZerosAsync() => PushFromAsync("FROM scratch", zeros => zeros.SetLength(400_000_000));
}
