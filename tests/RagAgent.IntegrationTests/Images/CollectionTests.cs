using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

public sealed class CollectionTests(Bench bench) : ImageTest(bench)
{
    [Fact]
    public async Task Old_images_of_the_app_go_and_nothing_else_does()
    {
        // On a disk of its own the bytes that come free can be counted.
        await using var engine = await PrivateEngine.OnSmallDiskAsync("1g");
        using var room = Room(engine.Socket);
        var old = await PulledAsync(room, await PushedAsync("old", "--ballast", "5m"));
        var used = await PulledAsync(room, await PushedAsync("used"));
        var named = await PulledAsync(room, await PushedAsync("named"));
        var previous = await PulledAsync(room, await PushedAsync("previous"));
        var current = await PulledAsync(room, await PushedAsync("current"));
        await engine.Docker.DoAsync("create", "--name", "someones", used.ToString());
        // What an agent leaves that dies while it tries an image.
        await engine.Docker.DoAsync("create", "--label", "ragagent.trial=", old.ToString());
        await engine.Docker.DoAsync("tag", named.ToString(), "mine:named");
        await engine.Docker.DoAsync("tag", old.ToString(), $"{Repository}:old");
        await engine.Docker.DoAsync("tag", previous.ToString(), "mine:previous");

        var collection = await room.Store.CleanUpAsync([current, previous], Stopping);

        Assert.Equal(1, collection.Removed);
        Assert.InRange(collection.FreedBytes, 5_000_000, 20_000_000);
        Assert.Null(await room.Engine.FindAsync(old.ToString(), Stopping));
        Assert.Null(await room.Engine.FindAsync(named.ToString(), Stopping));
        Assert.NotNull(await room.Engine.FindAsync("mine:named", Stopping));
        foreach (var stays in (ImageName[])[used, previous, current])
        {
            Assert.NotNull(await room.Engine.FindAsync(stays.ToString(), Stopping));
        }

        // When the container is gone, so is the reason to keep its image; the next time there is nothing to do.
        await engine.Docker.DoAsync("rm", "someones");
        Assert.Equal(1, (await room.Store.CleanUpAsync([current, previous], Stopping)).Removed);
        Assert.Equal(new ImageCleanupResult(0, 0), await room.Store.CleanUpAsync([current, previous], Stopping));
    }

    [Fact]
    public async Task Before_the_repository_is_known_nothing_goes_and_one_that_can_not_go_keeps_no_other_from_going()
    {
        await using var engine = await PrivateEngine.OnSmallDiskAsync("1g");
        var first = await PushedAsync("first");
        var second = await PushedAsync("second");
        using (var other = Room(engine.Socket))
        {
            await PulledAsync(other, first);
            await PulledAsync(other, second);
        }
        await using var front = await EngineFront.StartAsync(Path.Combine(Folder, "front.sock"), engine.Socket.LocalPath, async context =>
        {
            if (context.Request.Method != "DELETE" || !context.Request.Path.Value!.Contains(first.Image.Digest, StringComparison.Ordinal))
            {
                return false;
            }
            context.Response.StatusCode = 500;
            await EngineFront.SayAsync(context, """{"message":"it does not want to"}""");
            return true;
        });
        using var room = Room(front.Socket);

        Assert.Equal(new ImageCleanupResult(0, 0), await room.Store.CleanUpAsync([], Stopping));

        await room.Store.ResolveAsync(Stopping);
        Assert.Equal(1, (await room.Store.CleanUpAsync([], Stopping)).Removed);
        Assert.NotNull(await room.Engine.FindAsync(first.Image.ToString(), Stopping));
        Assert.Null(await room.Engine.FindAsync(second.Image.ToString(), Stopping));
    }

    private static async Task<ImageName> PulledAsync(ImageRoom room, Resolution resolution)
    {
        await room.EnsureAsync(resolution);
        return resolution.Image;
    }
}
