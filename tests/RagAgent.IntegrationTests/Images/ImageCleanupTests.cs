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
        await using var engine = await PrivateEngine.OnSmallDiskAsync("1g");
        using var imageStack = CreateImageStack(engine.Socket);
        var old = await PulledAsync(imageStack, await PushAndResolveAsync("old", "--ballast", "5m"));
        var used = await PulledAsync(imageStack, await PushAndResolveAsync("used"));
        var named = await PulledAsync(imageStack, await PushAndResolveAsync("named"));
        var previous = await PulledAsync(imageStack, await PushAndResolveAsync("previous"));
        var current = await PulledAsync(imageStack, await PushAndResolveAsync("current"));
        await engine.Docker.DoAsync("create", "--name", "someones", used.ToString());
        // An agent that dies while it tries an image leaves this behind.
        await engine.Docker.DoAsync("create", "--label", "ragagent.trial=", old.ToString());
        await engine.Docker.DoAsync("tag", named.ToString(), "mine:named");
        await engine.Docker.DoAsync("tag", old.ToString(), $"{Repository}:old");
        await engine.Docker.DoAsync("tag", previous.ToString(), "mine:previous");

        var collection = await imageStack.Store.CleanUpAsync([current, previous], TestCancellation);

        Assert.Equal(1, collection.Removed);
        Assert.InRange(collection.FreedBytes, 5_000_000, 20_000_000);
        Assert.Null(await imageStack.Engine.FindAsync(old.ToString(), TestCancellation));
        Assert.Null(await imageStack.Engine.FindAsync(named.ToString(), TestCancellation));
        Assert.NotNull(await imageStack.Engine.FindAsync("mine:named", TestCancellation));
        foreach (var stays in (ImageName[])[used, previous, current])
        {
            Assert.NotNull(await imageStack.Engine.FindAsync(stays.ToString(), TestCancellation));
        }

        // Without its container, that image is removed too. After that there is nothing left to do.
        await engine.Docker.DoAsync("rm", "someones");
        Assert.Equal(1, (await imageStack.Store.CleanUpAsync([current, previous], TestCancellation)).Removed);
        Assert.Equal(new ImageCleanupResult(0, 0), await imageStack.Store.CleanUpAsync([current, previous], TestCancellation));
    }

    [Fact]
    public async Task Image_cleanup_waits_for_the_repository_name_and_skips_an_image_it_can_not_remove()
    {
        await using var engine = await PrivateEngine.OnSmallDiskAsync("1g");
        var first = await PushAndResolveAsync("first");
        var second = await PushAndResolveAsync("second");
        using (var other = CreateImageStack(engine.Socket))
        {
            await PulledAsync(other, first);
            await PulledAsync(other, second);
        }
        await using var front = await EngineProxy.StartAsync(Path.Combine(Folder, "front.sock"), engine.Socket.LocalPath, async context =>
        {
            if (context.Request.Method != "DELETE" || !context.Request.Path.Value!.Contains(first.Image.Digest, StringComparison.Ordinal))
            {
                return false;
            }
            context.Response.StatusCode = 500;
            await EngineProxy.WriteMessageAsync(context, """{"message":"it does not want to"}""");
            return true;
        });
        using var imageStack = CreateImageStack(front.Socket);

        Assert.Equal(new ImageCleanupResult(0, 0), await imageStack.Store.CleanUpAsync([], TestCancellation));

        await imageStack.Store.ResolveAsync(TestCancellation);
        Assert.Equal(1, (await imageStack.Store.CleanUpAsync([], TestCancellation)).Removed);
        Assert.NotNull(await imageStack.Engine.FindAsync(first.Image.ToString(), TestCancellation));
        Assert.Null(await imageStack.Engine.FindAsync(second.Image.ToString(), TestCancellation));
    }

    private static async Task<ImageName> PulledAsync(ImageStack imageStack, Resolution resolution)
    {
        await imageStack.EnsureAsync(resolution);
        return resolution.Image;
    }
}
