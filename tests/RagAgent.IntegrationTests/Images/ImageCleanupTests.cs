using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

public sealed class ImageCleanupTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task Image_cleanup_removes_old_images_of_the_app_and_nothing_else()
    {
        // A separate disk makes the freed bytes countable.
        await using var engine = await PrivateEngine.StartOnSmallDiskAsync("1g");
        using var imageStack = CreateImageStack(engine.Socket);
        var old = await PullAsync(imageStack, await PushAndResolveAsync("old", "--ballast", "5m"));
        var used = await PullAsync(imageStack, await PushAndResolveAsync("used"));
        var named = await PullAsync(imageStack, await PushAndResolveAsync("named"));
        var previous = await PullAsync(imageStack, await PushAndResolveAsync("previous"));
        var current = await PullAsync(imageStack, await PushAndResolveAsync("current"));
        await engine.Docker.RunCheckedAsync("create", "--name", "someones", used.ToString());
        // An agent that dies while it tries an image leaves this behind.
        await engine.Docker.RunCheckedAsync("create", "--label", "ragagent.trial=", old.ToString());
        await engine.Docker.RunCheckedAsync("tag", named.ToString(), "mine:named");
        await engine.Docker.RunCheckedAsync("tag", old.ToString(), $"{Repository}:old");
        await engine.Docker.RunCheckedAsync("tag", previous.ToString(), "mine:previous");

        var cleanup = await imageStack.Store.CleanUpAsync([current, previous], TestCancellation);

        Assert.Equal(1, cleanup.Removed);
        Assert.InRange(cleanup.FreedBytes, 5_000_000, 20_000_000);
        Assert.Null(await imageStack.Engine.FindAsync(old.ToString(), TestCancellation));
        Assert.Null(await imageStack.Engine.FindAsync(named.ToString(), TestCancellation));
        Assert.NotNull(await imageStack.Engine.FindAsync("mine:named", TestCancellation));
        foreach (var stays in (ImageName[])[used, previous, current])
        {
            Assert.NotNull(await imageStack.Engine.FindAsync(stays.ToString(), TestCancellation));
        }

        // Without its container, that image is removed too. After that there is nothing left to do.
        await engine.Docker.RunCheckedAsync("rm", "someones");
        Assert.Equal(1, (await imageStack.Store.CleanUpAsync([current, previous], TestCancellation)).Removed);
        Assert.Equal(new ImageCleanupResult(0, 0), await imageStack.Store.CleanUpAsync([current, previous], TestCancellation));
    }

    [Fact]
    public async Task Image_cleanup_waits_for_the_repository_name_and_skips_an_image_it_can_not_remove()
    {
        await using var engine = await PrivateEngine.StartOnSmallDiskAsync("1g");
        var first = await PushAndResolveAsync("first");
        var second = await PushAndResolveAsync("second");
        using (var other = CreateImageStack(engine.Socket))
        {
            await PullAsync(other, first);
            await PullAsync(other, second);
        }
        await using var proxy = await EngineProxy.StartAsync(Path.Combine(Folder, "proxy.sock"), engine.Socket.LocalPath, async context =>
        {
            if (context.Request.Method != "DELETE" || !context.Request.Path.Value!.Contains(first.Image.Digest, StringComparison.Ordinal))
            {
                return false;
            }
            context.Response.StatusCode = 500;
            await EngineProxy.WriteMessageAsync(context, """{"message":"it does not want to"}""");
            return true;
        });
        using var imageStack = CreateImageStack(proxy.Socket);

        Assert.Equal(new ImageCleanupResult(0, 0), await imageStack.Store.CleanUpAsync([], TestCancellation));

        await imageStack.Store.ResolveAsync(TestCancellation);
        Assert.Equal(1, (await imageStack.Store.CleanUpAsync([], TestCancellation)).Removed);
        Assert.NotNull(await imageStack.Engine.FindAsync(first.Image.ToString(), TestCancellation));
        Assert.Null(await imageStack.Engine.FindAsync(second.Image.ToString(), TestCancellation));
    }

    private static async Task<ImageName> PullAsync(ImageStack imageStack, Resolution resolution)
    {
        await imageStack.EnsureAsync(resolution);
        return resolution.Image;
    }
}
