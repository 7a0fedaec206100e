using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>What a pull may meet, from the registry and from the engine.</summary>
public sealed class ImagePullTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task A_pull_that_ends_well_and_leaves_no_image_is_a_failure()
    {
        var resolution = await PushAndResolveAsync();
        await using var front = await FrontAsync(EngineProxy.AnswerPull("""{"status":"Status: Downloaded newer image"}"""));
        using var imageStack = CreateImageStack(front.Socket);

        var refused = await AssertProblemAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal(("pull-incomplete", $"Pulling {Repository}:latest ended without an error, but the image is not on disk."), (refused.Code, refused.What));
    }

    [Theory]
    // Engines from API 1.48 on send errorDetail alone.
    [InlineData("""{"errorDetail":{"message":"toomanyrequests: Rate exceeded"}}""", "registry-throttled")]
    [InlineData("""{"errorDetail":{"message":"write /var/lib/docker/tmp/GetImageBlob1: no space left on device"},"error":"write …"}""", "disk-full")]
    [InlineData("""{"errorDetail":{"code":13,"message":"failed to register layer: open /var/lib/docker/overlay2/0123456789ab/link: no such file or directory"}}""", "image-corrupt")]
    [InlineData("""{"errorDetail":{"message":"received unexpected HTTP status: 502 Bad Gateway"}}""", "registry")]
    public async Task An_error_in_the_stream_of_a_pull_that_began_well_is_a_failure(string message, string code)
    {
        var resolution = await PushAndResolveAsync();
        await using var front = await FrontAsync(EngineProxy.AnswerPull("""{"status":"Pulling from ragstream-web","id":"latest"}""", message, """{"status":"and on it goes"}"""));
        using var imageStack = CreateImageStack(front.Socket);

        Assert.Equal(code, (await AssertProblemAsync(() => imageStack.EnsureAsync(resolution))).Code);
    }

    [Fact]
    public async Task Messages_of_every_kind_and_order_do_not_fail_a_pull()
    {
        var resolution = await PushAndResolveAsync();
        await using var front = await FrontAsync(EngineProxy.AnswerPull(async context =>
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
                await EngineProxy.WriteMessageAsync(context, message);
            }
            await Docker.DoAsync("pull", "--quiet", resolution.Image.ToString());
        }));
        await Docker.RunWithInputAsync(Aws.DockerLogin.Password, "login", "--username", "AWS", "--password-stdin", Aws.RegistryHost);
        using var imageStack = CreateImageStack(front.Socket);

        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
        Assert.Equal(imageStack.Progress.Select(p => p.Fraction).Order(), imageStack.Progress.Select(p => p.Fraction));
        Assert.NotEmpty(imageStack.Progress);
    }

    [Fact]
    public async Task A_pull_that_falls_silent_is_given_up_and_the_next_one_succeeds()
    {
        var resolution = await PushAndResolveAsync();
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
        using var stalled = CreateImageStack(front.Socket, silence);
        Aws.Requests.Clear();   // the push asked for blobs too
        var pulling = stalled.EnsureAsync(resolution);
        await Aws.Requests.WaitForAsync(r => r.Operation == Operations.RegistryBlob && r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase), TestCancellation);
        Assert.False(pulling.IsCompleted);

        var refused = await AssertProblemAsync(() => EndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine reported no progress for 3m."), (refused.Code, refused.What));

        Aws.Faults.Clear();
        using var next = CreateImageStack(SharedEngine);
        Assert.Equal(resolution.Image.Digest, (await next.EnsureAsync(resolution)).Digest);
    }

    [Fact]
    public async Task While_it_unpacks_an_engine_may_be_silent_for_longer()
    {
        var resolution = await PushAndResolveAsync();
        await using var front = await FrontAsync(EngineProxy.AnswerPull(async context =>
        {
            await EngineProxy.WriteMessageAsync(context, $$"""{"status":"Download complete","id":"{{(await LowestLayerAsync())[..12]}}"}""");
            await EngineProxy.HangAsync(context);
        }));
        var silence = new FakeTimeProvider();
        using var imageStack = CreateImageStack(front.Socket, silence);
        var pulling = imageStack.EnsureAsync(resolution);
        await WaitUntilAsync(() => Task.FromResult(imageStack.Progress.Count > 0), "the layer is complete");

        silence.Advance(TimeSpan.FromMinutes(9.9));
        // What the clock has set off would show now: another call to the same engine has its answer.
        Assert.Null(await imageStack.Engine.FindAsync("nothing:like-it", TestCancellation));
        Assert.False(pulling.IsCompleted);

        var refused = await AssertProblemAsync(() => EndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine reported no progress for 10m."), (refused.Code, refused.What));
    }

    [Fact]
    public async Task The_login_goes_to_the_engine_for_the_registrys_own_host()
    {
        var resolution = await PushAndResolveAsync();
        string? header = null;
        await using var front = await FrontAsync(context =>
        {
            header ??= context.Request.Headers["X-Registry-Auth"];
            return Task.FromResult(false);
        });
        using var imageStack = CreateImageStack(front.Socket);
        await imageStack.EnsureAsync(resolution);

        var login = JsonNode.Parse(Convert.FromBase64String(header!.Replace('-', '+').Replace('_', '/')))!;
        Assert.Equal((Aws.RegistryHost, "AWS", Aws.DockerLogin.Password), ((string?)login["serveraddress"], (string?)login["username"], (string?)login["password"]));
    }

    [Fact]
    public async Task A_tag_that_moves_meanwhile_does_not_change_what_is_pulled()
    {
        var first = await PushAndResolveAsync("first");
        var second = await PushAndResolveAsync("second");
        Assert.NotEqual(first.Image, second.Image);
        using var imageStack = CreateImageStack(SharedEngine);

        Assert.Equal(first.Image.Digest, (await imageStack.EnsureAsync(first)).Digest);

        Assert.Equal(first.Image.ToString(), await Docker.DoAsync("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}", Repository));
    }

    [Fact]
    public async Task Of_an_index_with_an_attestation_the_image_for_this_machine_is_pulled()
    {
        await PushAsync("amd", "amd64");
        var (index, image) = await OciIndexPublisher.PushAsync(Http, Aws, "ragstream-web", "latest", [("amd64", "amd64")], TestCancellation);
        using var imageStack = CreateImageStack(SharedEngine);

        var resolution = await imageStack.Store.ResolveAsync(TestCancellation);

        Assert.Equal(new Resolution($"{Repository}:latest", new ImageName(Repository, image), index), resolution);
        Assert.Equal(image, (await imageStack.EnsureAsync(resolution)).Digest);
        Assert.NotNull(await imageStack.Engine.FindAsync(resolution.Image.ToString(), TestCancellation));
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_is_no_failure_of_the_registry()
    {
        var resolution = await PushAndResolveAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        await using var front = await FrontAsync(EngineProxy.AnswerPull(async context =>
        {
            await ending.CancelAsync();
            await EngineProxy.HangAsync(context);
        }));
        using var imageStack = CreateImageStack(front.Socket);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => imageStack.EnsureAsync(resolution, stopping: ending.Token));
    }

    /// <summary>Lets time pass, a little at a time, until it is over.</summary>
    private static async Task EndedAsync(Task pulling, FakeTimeProvider time)
    {
        while (!pulling.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            TestCancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        await pulling;
    }

    private Task<EngineProxy> FrontAsync(Func<HttpContext, Task<bool>> answered) =>
        EngineProxy.StartAsync(Path.Combine(Folder, "front.sock"), SharedEngine.LocalPath, answered);
}
