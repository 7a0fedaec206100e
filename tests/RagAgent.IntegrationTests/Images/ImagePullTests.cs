using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.IntegrationTests.Support;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>What the registry and the engine can do to a pull.</summary>
public sealed class ImagePullTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task A_pull_that_succeeds_without_leaving_an_image_is_a_failure()
    {
        var resolution = await PushAndResolveAsync();
        await using var proxy = await StartProxyAsync(EngineProxy.AnswerPull("""{"status":"Status: Downloaded newer image"}"""));
        using var imageStack = CreateImageStack(proxy.Socket);

        var refused = await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution));

        Assert.Equal(("pull-incomplete", $"Pulling {Repository}:latest ended without an error, but the image is not on disk."), (refused.Code, refused.What));
    }

    [Theory]
    // Engines since API 1.48 send errorDetail only.
    [InlineData("""{"errorDetail":{"message":"toomanyrequests: Rate exceeded"}}""", "registry-throttled")]
    [InlineData(
        """{"errorDetail":{"message":"write /var/lib/docker/tmp/GetImageBlob1: no space left on device"},"error":"write …"}""",
        "disk-full")]
    [InlineData(
        """{"errorDetail":{"code":13,"message":"failed to register layer: open /var/lib/docker/overlay2/0123456789ab/link: no such file or directory"}}""",
        "image-corrupt")]
    [InlineData("""{"errorDetail":{"message":"received unexpected HTTP status: 502 Bad Gateway"}}""", "registry")]
    public async Task An_error_in_the_progress_stream_of_a_pull_is_a_failure(string message, string code)
    {
        var resolution = await PushAndResolveAsync();
        await using var proxy = await StartProxyAsync(EngineProxy.AnswerPull(
            """{"status":"Pulling from ragstream-web","id":"latest"}""", message, """{"status":"and on it goes"}"""));
        using var imageStack = CreateImageStack(proxy.Socket);

        Assert.Equal(code, (await AssertProblem.ThrownAsync(() => imageStack.EnsureAsync(resolution))).Code);
    }

    [Fact]
    public async Task Unknown_or_unordered_progress_messages_do_not_fail_a_pull()
    {
        var resolution = await PushAndResolveAsync();
        await using var proxy = await StartProxyAsync(EngineProxy.AnswerPull(async context =>
        {
            var layer = (await LowestLayerAsync())[..12];
            foreach (var message in (string[])
                [
                    $$"""{"status":"Download complete","id":"{{layer}}"}""",
                    $$"""{"status":"Downloading","progressDetail":{"current":1,"total":-1},"id":"{{layer}}"}""",
                    $$"""{"status":"Extracting","progressDetail":{"current":17,"units":"s"},"progress":"17 s","id":"{{layer}}"}""",
                    $$"""{"status":"Extracting","progressDetail":{"current":1,"total":1,"hidecounts":true},"id":"{{layer}}"}""",
                    """{"status":"Retrying in 3 seconds","progressDetail":{}}""",
                    """{"status":"Waiting","progressDetail":null,"id":"nobody"}""",
                    """{"stream":"text"}""",
                    """{"aux":{"Digest":"sha256:aa"}}""", "{}",
                    """{"status":"what engines will say one day","weather":{"sun":true},"id":"x"}""",
                ])
            {
                await EngineProxy.WriteMessageAsync(context, message);
            }
            await Docker.RunCheckedAsync("pull", "--quiet", resolution.Image.ToString());
        }));
        await Docker.RunWithInputAsync(Aws.DockerLogin.Password, "login", "--username", "AWS", "--password-stdin", Aws.RegistryHost);
        using var imageStack = CreateImageStack(proxy.Socket);

        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);
        Assert.Equal(imageStack.Progress.Select(p => p.Fraction).Order(), imageStack.Progress.Select(p => p.Fraction));
        Assert.NotEmpty(imageStack.Progress);
    }

    [Fact]
    public async Task A_silent_pull_is_cancelled_and_the_next_one_succeeds()
    {
        var resolution = await PushAndResolveAsync();
        // The fault is set once the engine pulls, because the agent itself reads from the registry before that.
        await using var proxy = await StartProxyAsync(context =>
        {
            if (context.Request.Path.Value!.EndsWith("/images/create", StringComparison.Ordinal))
            {
                Aws.Faults.Add(Operations.RegistryBlob, new Fault.Hang());
            }
            return Task.FromResult(false);
        });
        var silence = new FakeTimeProvider();
        using var stalled = CreateImageStack(proxy.Socket, silence);
        Aws.Requests.Clear();   // the push also requested blobs
        var pulling = stalled.EnsureAsync(resolution);
        await Aws.Requests.WaitForAsync(
            r => r.Operation == Operations.RegistryBlob && r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase),
            TestCancellation);
        Assert.False(pulling.IsCompleted);

        var refused = await AssertProblem.ThrownAsync(() => AdvanceUntilEndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine reported no progress for 3m."), (refused.Code, refused.What));

        Aws.Faults.Clear();
        using var next = CreateImageStack(SharedEngine);
        Assert.Equal(resolution.Image.Digest, (await next.EnsureAsync(resolution)).Digest);
    }

    [Fact]
    public async Task An_engine_may_be_silent_for_longer_while_it_unpacks()
    {
        var resolution = await PushAndResolveAsync();
        await using var proxy = await StartProxyAsync(EngineProxy.AnswerPull(async context =>
        {
            await EngineProxy.WriteMessageAsync(
                context, $$"""{"status":"Download complete","id":"{{(await LowestLayerAsync())[..12]}}"}""");
            await EngineProxy.HangAsync(context);
        }));
        var silence = new FakeTimeProvider();
        using var imageStack = CreateImageStack(proxy.Socket, silence);
        var pulling = imageStack.EnsureAsync(resolution);
        await WaitUntilAsync(() => Task.FromResult(imageStack.Progress.Count > 0), "the layer is complete");

        silence.Advance(TimeSpan.FromMinutes(9.9));
        // A completed call to the engine gives the timer's consequences time to show.
        Assert.Null(await imageStack.Engine.FindAsync("nothing:like-it", TestCancellation));
        Assert.False(pulling.IsCompleted);

        var refused = await AssertProblem.ThrownAsync(() => AdvanceUntilEndedAsync(pulling, silence));
        Assert.Equal(("pull-stalled", $"Pulling {Repository}:latest stalled: Docker Engine reported no progress for 10m."), (refused.Code, refused.What));
    }

    [Fact]
    public async Task The_engine_gets_the_login_of_the_registrys_own_host()
    {
        var resolution = await PushAndResolveAsync();
        string? header = null;
        await using var proxy = await StartProxyAsync(context =>
        {
            header ??= context.Request.Headers["X-Registry-Auth"];
            return Task.FromResult(false);
        });
        using var imageStack = CreateImageStack(proxy.Socket);
        await imageStack.EnsureAsync(resolution);

        var login = JsonNode.Parse(Convert.FromBase64String(header!.Replace('-', '+').Replace('_', '/')))!;
        Assert.Equal(
            (Aws.RegistryHost, "AWS", Aws.DockerLogin.Password),
            ((string?)login["serveraddress"], (string?)login["username"], (string?)login["password"]));
    }

    [Fact]
    public async Task A_tag_that_moves_after_it_was_resolved_does_not_change_what_is_pulled()
    {
        var first = await PushAndResolveAsync("first");
        var second = await PushAndResolveAsync("second");
        Assert.NotEqual(first.Image, second.Image);
        using var imageStack = CreateImageStack(SharedEngine);

        Assert.Equal(first.Image.Digest, (await imageStack.EnsureAsync(first)).Digest);

        Assert.Equal(
            first.Image.ToString(),
            await Docker.RunCheckedAsync("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}", Repository));
    }

    [Fact]
    public async Task An_index_with_an_attestation_resolves_to_the_image_for_this_machine()
    {
        await PushAsync("amd", "amd64");
        var (index, image) = await OciIndexPublisher.PushAsync(
            Http, Aws, "ragstream-web", "latest", [("amd64", "amd64")], TestCancellation);
        using var imageStack = CreateImageStack(SharedEngine);

        var resolution = await imageStack.Store.ResolveAsync(TestCancellation);

        Assert.Equal(new Resolution($"{Repository}:latest", new ImageName(Repository, image), index), resolution);
        Assert.Equal(image, (await imageStack.EnsureAsync(resolution)).Digest);
        Assert.NotNull(await imageStack.Engine.FindAsync(resolution.Image.ToString(), TestCancellation));
    }

    [Fact]
    public async Task A_cancelled_pull_is_not_a_failure_of_the_registry()
    {
        var resolution = await PushAndResolveAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        await using var proxy = await StartProxyAsync(EngineProxy.AnswerPull(async context =>
        {
            await ending.CancelAsync();
            await EngineProxy.HangAsync(context);
        }));
        using var imageStack = CreateImageStack(proxy.Socket);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => imageStack.EnsureAsync(resolution, stopping: ending.Token));
    }

    /// <summary>Advances the clock in small steps until the pull ends.</summary>
    private static async Task AdvanceUntilEndedAsync(Task pulling, FakeTimeProvider time)
    {
        while (!pulling.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(10));
            TestCancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        await pulling;
    }

    private Task<EngineProxy> StartProxyAsync(Func<HttpContext, Task<bool>> intercept) =>
        EngineProxy.StartAsync(Path.Combine(Folder, "proxy.sock"), SharedEngine.LocalPath, intercept);
}
