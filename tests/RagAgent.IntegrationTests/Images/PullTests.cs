using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>What a pull may meet, from the registry and from the engine.</summary>
public sealed class PullTests(Bench bench) : ImageTest(bench)
{
    [Fact]
    public async Task A_pull_that_ends_well_and_leaves_no_image_is_a_failure()
    {
        var resolution = await PushedAsync();
        await using var front = await FrontAsync(EngineFront.Pull("""{"status":"Status: Downloaded newer image"}"""));
        using var room = Room(front.Socket);

        var refused = await RefusedAsync(() => room.EnsureAsync(resolution));

        Assert.Equal(("pull-incomplete", $"Pulling {Repository}:latest ended without an error, but the image is not on disk."), (refused.Code, refused.What));
    }

    [Theory]
    // Engines from API 1.48 on send errorDetail alone.
    [InlineData("""{"errorDetail":{"message":"toomanyrequests: Rate exceeded"}}""", "registry-throttled")]
    [InlineData("""{"errorDetail":{"message":"write /var/lib/docker/tmp/GetImageBlob1: no space left on device"},"error":"write …"}""", ProblemCodes.DiskFull)]
    [InlineData("""{"errorDetail":{"code":13,"message":"failed to register layer: open /var/lib/docker/overlay2/0123456789ab/link: no such file or directory"}}""", ProblemCodes.ImageCorrupt)]
    [InlineData("""{"errorDetail":{"message":"received unexpected HTTP status: 502 Bad Gateway"}}""", "registry")]
    public async Task An_error_in_the_stream_of_a_pull_that_began_well_is_a_failure(string message, string code)
    {
        var resolution = await PushedAsync();
        await using var front = await FrontAsync(EngineFront.Pull("""{"status":"Pulling from ragstream-web","id":"latest"}""", message, """{"status":"and on it goes"}"""));
        using var room = Room(front.Socket);

        Assert.Equal(code, (await RefusedAsync(() => room.EnsureAsync(resolution))).Code);
    }

    [Fact]
    public async Task Messages_of_every_kind_and_order_do_not_fail_a_pull()
    {
        var resolution = await PushedAsync();
        await using var front = await FrontAsync(EngineFront.Pull(async context =>
        {
            var layer = (await LowestLayerAsync())[..12];
            foreach (var message in (string[])
                [
                    $$"""{"status":"Download complete","id":"{{layer}}"}""", $$"""{"status":"Downloading","progressDetail":{"current":1,"total":-1},"id":"{{layer}}"}""",
                    $$"""{"status":"Extracting","progressDetail":{"current":17,"units":"s"},"progress":"17 s","id":"{{layer}}"}""",
                    $$"""{"status":"Extracting","progressDetail":{"current":1,"total":1,"hidecounts":true},"id":"{{layer}}"}""", """{"status":"Retrying in 3 seconds","progressDetail":{}}""",
                    """{"status":"Waiting","progressDetail":null,"id":"nobody"}""", """{"stream":"text"}""", """{"aux":{"Digest":"sha256:aa"}}""", "{}",
                    """{"status":"what engines will say one day","weather":{"sun":true},"id":"x"}""",
                ])
            {
                await EngineFront.SayAsync(context, message);
            }
            await Docker.DoAsync("pull", "--quiet", resolution.Image.ToString());
        }));
        await Docker.RunWithInputAsync(Aws.DockerLogin.Password, "login", "--username", "AWS", "--password-stdin", Aws.RegistryHost);
        using var room = Room(front.Socket);

        Assert.Equal(resolution.Image.Digest, (await room.EnsureAsync(resolution)).Digest);
        Assert.Equal(room.Progress.Select(p => p.Fraction).Order(), room.Progress.Select(p => p.Fraction));
        Assert.NotEmpty(room.Progress);
    }

    [Fact]
    public async Task A_pull_that_falls_silent_is_given_up_and_the_next_one_succeeds()
    {
        var resolution = await PushedAsync();
        // The agent has read what it needs of the registry when the engine begins.
        await using var front = await FrontAsync(context =>
        {
            if (context.Request.Path.Value!.EndsWith("/images/create", StringComparison.Ordinal))
            {
                Aws.Faults.Add(Operations.RegistryBlob, new Fault.Hang());
            }
            return Task.FromResult(false);
        });
        var silence = new FakeTimeProvider();
        using var stalled = Room(front.Socket, silence);
        Aws.Requests.Clear();   // the push asked for blobs too
        var pulling = stalled.EnsureAsync(resolution);
        await Aws.Requests.WaitForAsync(r => r.Operation == Operations.RegistryBlob && r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase), Stopping);
        Assert.False(pulling.IsCompleted);

        var refused = await RefusedAsync(() => EndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine said nothing for 3m."), (refused.Code, refused.What));

        Aws.Faults.Clear();
        using var next = Room(BenchEngine);
        Assert.Equal(resolution.Image.Digest, (await next.EnsureAsync(resolution)).Digest);
    }

    [Fact]
    public async Task While_it_unpacks_an_engine_may_be_silent_for_longer()
    {
        var resolution = await PushedAsync();
        await using var front = await FrontAsync(EngineFront.Pull(async context =>
        {
            await EngineFront.SayAsync(context, $$"""{"status":"Download complete","id":"{{(await LowestLayerAsync())[..12]}}"}""");
            await EngineFront.HangAsync(context);
        }));
        var silence = new FakeTimeProvider();
        using var room = Room(front.Socket, silence);
        var pulling = room.EnsureAsync(resolution);
        await EventuallyAsync(() => Task.FromResult(room.Progress.Count > 0), "the layer is complete");

        silence.Advance(TimeSpan.FromMinutes(9.9));
        // What the clock has set off would show now: another call to the same engine has its answer.
        Assert.Null(await room.Engine.FindAsync("nothing:like-it", Stopping));
        Assert.False(pulling.IsCompleted);

        var refused = await RefusedAsync(() => EndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine said nothing for 10m."), (refused.Code, refused.What));
    }

    [Fact]
    public async Task The_login_goes_to_the_engine_for_the_registrys_own_host()
    {
        var resolution = await PushedAsync();
        string? header = null;
        await using var front = await FrontAsync(context =>
        {
            header ??= context.Request.Headers["X-Registry-Auth"];
            return Task.FromResult(false);
        });
        using var room = Room(front.Socket);
        await room.EnsureAsync(resolution);

        var login = JsonNode.Parse(Convert.FromBase64String(header!.Replace('-', '+').Replace('_', '/')))!;
        Assert.Equal((Aws.RegistryHost, "AWS", Aws.DockerLogin.Password), ((string?)login["serveraddress"], (string?)login["username"], (string?)login["password"]));
    }

    [Fact]
    public async Task A_tag_that_moves_meanwhile_does_not_change_what_is_pulled()
    {
        var first = await PushedAsync("first");
        var second = await PushedAsync("second");
        Assert.NotEqual(first.Image, second.Image);
        using var room = Room(BenchEngine);

        Assert.Equal(first.Image.Digest, (await room.EnsureAsync(first)).Digest);

        Assert.Equal(first.Image.ToString(), await Docker.DoAsync("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}", Repository));
    }

    [Fact]
    public async Task Of_an_index_with_an_attestation_the_image_for_this_machine_is_pulled()
    {
        await PushAsync("amd", "amd64");
        var (index, image) = await IndexPush.PushAsync(Http, Aws, "ragstream-web", "latest", [("amd64", "amd64")], Stopping);
        using var room = Room(BenchEngine);

        var resolution = await room.Store.ResolveAsync(Stopping);

        Assert.Equal(new Resolution($"{Repository}:latest", new ImageName(Repository, image), index), resolution);
        Assert.Equal(image, (await room.EnsureAsync(resolution)).Digest);
        Assert.NotNull(await room.Engine.FindAsync(resolution.Image.ToString(), Stopping));
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_is_no_failure_of_the_registry()
    {
        var resolution = await PushedAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        await using var front = await FrontAsync(EngineFront.Pull(async context =>
        {
            await ending.CancelAsync();
            await EngineFront.HangAsync(context);
        }));
        using var room = Room(front.Socket);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => room.EnsureAsync(resolution, stopping: ending.Token));
    }

    /// <summary>Lets time pass, a little at a time, until it is over.</summary>
    private static async Task EndedAsync(Task pulling, FakeTimeProvider time)
    {
        while (!pulling.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            Stopping.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        await pulling;
    }

    private Task<EngineFront> FrontAsync(Func<HttpContext, Task<bool>> answered) =>
        EngineFront.StartAsync(Path.Combine(Folder, "front.sock"), BenchEngine.LocalPath, answered);
}
