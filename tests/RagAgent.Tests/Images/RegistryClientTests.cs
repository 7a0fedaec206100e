using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Images;
using RagAgent.Secrets;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Images;

public sealed class RegistryClientTests : IAsyncDisposable
{
    private const string Reference = "registry/app:latest";
    private const string Tag = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private static readonly TimeSpan ClientTimeout = TimeSpan.FromSeconds(30);

    private readonly ImmediateTimeProvider _time = new(ClientTimeout);
    private readonly List<IAsyncDisposable> _servers = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_tag_is_resolved_with_one_HEAD_that_accepts_every_media_type()
    {
        var registry = await RegistryAsync(context => RespondWithDigest(context));

        var descriptor = await ResolveAsync(registry);

        Assert.Equal(new ManifestDescriptor(Tag, MediaTypes.OciIndex), descriptor);
        var request = Assert.Single(registry.Requests);
        Assert.Equal("HEAD /v2/team/app/manifests/latest", request.ToString());
        Assert.Equal(string.Join(", ", MediaTypes.All), string.Join(", ", request.Headers["Accept"].Split(',', StringSplitOptions.TrimEntries)));
        Assert.Equal("Basic " + Convert.ToBase64String("AWS:token"u8), request.Headers["Authorization"]);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(404)]
    [InlineData(405)]
    public async Task GET_is_used_if_HEAD_is_not_allowed(int status)
    {
        var registry = await RegistryAsync(context => context.Request.Method == "HEAD" ? Status(context, status) : RespondWithDigest(context));

        Assert.Equal(new ManifestDescriptor(Tag, MediaTypes.OciIndex), await ResolveAsync(registry));
        Assert.Equal(["HEAD", "GET"], registry.Requests.Select(r => r.Method));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_digest_is_computed_if_the_registry_sends_none()
    {
        var registry = await RegistryAsync(context =>
        {
            context.Response.ContentType = MediaTypes.DockerManifest;
            return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.WriteAsync("manifest");
        });

        Assert.Equal(new ManifestDescriptor(Sha256("manifest"), MediaTypes.DockerManifest), await ResolveAsync(registry));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(404, "NAME_UNKNOWN", "The repository with name 'app' does not exist in the registry with id '1'", "registry-repository-missing",
        "The repository of registry/app:latest does not exist: name unknown: The repository with name 'app' does not exist in the registry with id '1'.")]
    [InlineData(404, "MANIFEST_UNKNOWN", "Requested image not found", "registry-tag-missing", "registry/app:latest does not exist: the repository has no such tag.")]
    [InlineData(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.", "registry-token-refused",
        "The registry refused the token for registry/app:latest: denied: Your authorization token has expired. Reauthenticate and try again.")]
    [InlineData(
        401, "UNAUTHORIZED", "authentication required", "registry-token-refused",
        "The registry refused the token for registry/app:latest: unauthorized: authentication required.")]
    public async Task A_refusal_is_reported_with_the_text_that_only_GET_returns(
        int status, string code, string message, string problem, string sentence)
    {
        var registry = await RegistryAsync(context => Status(context, status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}"""));

        var refused = await AssertProblem.ThrownAsync(() => ResolveAsync(registry));

        Assert.Equal((problem, sentence), (refused.Code, refused.What));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("7", 7)]
    [InlineData("20", 20)]
    public async Task A_throttled_request_is_retried_after_a_short_Retry_After(string retryAfter, int seconds)
    {
        var refusals = 1;
        var registry = await RegistryAsync(context =>
        {
            if (Interlocked.Decrement(ref refusals) < 0)
            {
                return RespondWithDigest(context);
            }
            context.Response.Headers.RetryAfter = retryAfter;
            return Status(context, 429);
        });

        Assert.Equal(Tag, (await ResolveAsync(registry)).Digest);
        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(_time.Delays));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("21", 21)]
    [InlineData("600", 600)]
    [InlineData("86400", 600)]
    [InlineData("Fri, 01 Jan 2100 00:00:00 GMT", 600)]
    public async Task A_long_Retry_After_is_passed_on_instead_of_waited_for(string retryAfter, int seconds)
    {
        var registry = await RegistryAsync(context =>
        {
            context.Response.Headers.RetryAfter = retryAfter;
            return Status(context, 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}""");
        });

        var resolving = await AssertProblem.ThrownAsync(() => ResolveAsync(registry));
        var getting = await AssertProblem.ThrownAsync(() => WithClientAsync(client => client.GetManifestAsync(Access(registry), "team/app", Tag, Reference, TestCancellation)));

        Assert.Equal(["HEAD", "GET"], registry.Requests.Select(r => r.Method));
        Assert.All([resolving, getting], problem => Assert.Equal(("registry-throttled", TimeSpan.FromSeconds(seconds)), (problem.Code, problem.RetryAfter)));
        Assert.Empty(_time.Delays);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_registry_that_keeps_throttling_gets_no_more_than_three_attempts()
    {
        var registry = await RegistryAsync(context => Status(context, 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}"""));

        var refused = await AssertProblem.ThrownAsync(() => ResolveAsync(registry));

        Assert.Equal(("registry-throttled", null), (refused.Code, refused.RetryAfter));
        Assert.Equal(["HEAD", "HEAD", "HEAD", "GET", "GET", "GET"], registry.Requests.Select(r => r.Method));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_failing_registry_is_retried()
    {
        var failures = 2;
        var registry = await RegistryAsync(
            context => Interlocked.Decrement(ref failures) >= 0 ? Status(context, 500) : RespondWithDigest(context));

        Assert.Equal(Tag, (await ResolveAsync(registry)).Digest);
        Assert.All(_time.Delays, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(5)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Content_that_matches_its_digest_is_returned()
    {
        var registry = await RegistryAsync(context => context.Response.WriteAsync("manifest"));

        var digest = Sha256("manifest");
        Assert.Equal("manifest"u8.ToArray(), await WithClientAsync(client => client.GetManifestAsync(Access(registry), "team/app", digest, Reference, TestCancellation)));
        Assert.Equal("manifest"u8.ToArray(), await WithClientAsync(client => client.GetBlobAsync(Access(registry), "team/app", digest, Reference, TestCancellation)));
        Assert.Equal([$"GET /v2/team/app/manifests/{digest}", $"GET /v2/team/app/blobs/{digest}"], registry.Requests.Select(r => r.ToString()));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Content_that_does_not_match_its_digest_is_rejected()
    {
        var registry = await RegistryAsync(context => context.Response.WriteAsync("something else"));

        var refused = await AssertProblem.ThrownAsync(
            () => WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Sha256("manifest"), Reference, TestCancellation)));

        Assert.Equal(
            (
                "registry-corrupt",
                $"The registry sent data for registry/app:latest that doesn't match the digest {Sha256("manifest")[..19]}."),
            (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_redirect_to_the_blob_store_drops_the_authorization()
    {
        var store = await ServerAsync(context => context.Response.WriteAsync("blob"));
        var registry = await RegistryAsync(context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = $"{store.Address}signed?X-Amz-Signature=1";
            return Task.CompletedTask;
        });

        Assert.Equal("blob"u8.ToArray(), await WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Sha256("blob"), Reference, TestCancellation)));
        var followed = Assert.Single(store.Requests);
        Assert.Equal("GET /signed?X-Amz-Signature=1", followed.ToString());
        Assert.DoesNotContain("Authorization", followed.Headers.Keys);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_bearer_token_is_requested_if_the_registry_wants_one()
    {
        var tokens = await ServerAsync(context => context.Response.WriteAsync("""{ "token": "anonymous" }"""));
        var registry = await RegistryAsync(context =>
        {
            if (context.Request.Headers.Authorization == "Bearer anonymous")
            {
                return RespondWithDigest(context);
            }
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{tokens.Address}token\",service=\"registry.example\",scope=\"repository:team/app:pull\"";
            return Status(context, 401);
        });

        var access = new RegistryLogin("registry.example", registry.Address, null, null);
        var descriptor = await WithClientAsync(client => client.ResolveAsync(access, "team/app", "latest", Reference, TestCancellation));

        Assert.Equal(Tag, descriptor.Digest);
        Assert.Equal("GET /token?service=registry.example&scope=repository%3Ateam%2Fapp%3Apull", Assert.Single(tokens.Requests).ToString());
        Assert.DoesNotContain("Authorization", registry.Requests[0].Headers.Keys);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_registry_without_a_listener_is_named()
    {
        var gone = await RegistryAsync(context => RespondWithDigest(context));
        await gone.DisposeAsync();

        var refused = await AssertProblem.ThrownAsync(() => ResolveAsync(gone));

        Assert.Equal(("registry-unreachable", $"The registry {gone.Authority} can't be reached: the connection was refused."), (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_blob_store_without_a_listener_is_named_and_the_registry_is_not_blamed()
    {
        var store = await ServerAsync(context => context.Response.WriteAsync("blob"));
        await store.DisposeAsync();
        var registry = await RegistryAsync(context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = $"{store.Address}signed?X-Amz-Signature=1";
            return Task.CompletedTask;
        });

        var refused = await AssertProblem.ThrownAsync(
            () => WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Tag, Reference, TestCancellation)));

        Assert.Equal(
            (
                "registry-storage-unreachable",
                $"The host that keeps the image's data, {store.Authority}, can't be reached: the connection was refused. " +
                $"The registry {registry.Authority} itself answers."),
            (refused.Code, refused.What));
        Assert.Contains("a gateway endpoint for S3", refused.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_token_service_without_a_listener_is_named()
    {
        var tokens = await ServerAsync(context => context.Response.WriteAsync("{}"));
        await tokens.DisposeAsync();
        var registry = await RegistryAsync(context =>
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{tokens.Address}token\",service=\"registry.example\"";
            return Status(context, 401);
        });

        var refused = await AssertProblem.ThrownAsync(() => ResolveAsync(registry));

        Assert.Equal(
            (
                "registry-unreachable",
                $"{tokens.Authority}, which issues the tokens of the registry {registry.Authority}, can't be reached: the connection was refused."),
            (refused.Code, refused.What));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_registry_times_out(bool inTheMiddleOfItsAnswer)
    {
        var time = new FakeTimeProvider();
        var silent = new TaskCompletionSource();
        var registry = await RegistryAsync(async context =>
        {
            if (inTheMiddleOfItsAnswer)
            {
                context.Response.ContentLength = 100;
                await context.Response.WriteAsync("{");
                await context.Response.Body.FlushAsync();
            }
            silent.TrySetResult();
            await TestServer.HangAsync(context);
        });
        using var client = new RegistryClient(time);

        var asking = client.GetBlobAsync(Access(registry), "app", Tag, Reference, TestCancellation);
        await silent.Task.WaitAsync(TestCancellation);
        while (!asking.IsCompleted)
        {
            // Each step is shorter than the client's timeout, so that the timeout for the body starts after the one for the headers.
            time.Advance(ClientTimeout / 100);
            TestCancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var refused = await AssertProblem.ThrownAsync(() => asking);
        Assert.Equal(("registry-unreachable", $"The registry {registry.Authority} can't be reached: it did not answer in time."), (refused.Code, refused.What));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_truncated_response_is_reported_as_unreachable()
    {
        var registry = await RegistryAsync(async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

        var refused = await AssertProblem.ThrownAsync(() => WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Tag, Reference, TestCancellation)));

        Assert.Equal("registry-unreachable", refused.Code);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_oversized_manifest_is_rejected_with_and_without_a_Content_Length(bool withLength)
    {
        var registry = await RegistryAsync(async context =>
        {
            var chunk = new byte[1024 * 1024];
            context.Response.ContentLength = withLength ? 9 * chunk.Length : null;
            for (var i = 0; i < 9; i++)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }
        });

        var refused = await AssertProblem.ThrownAsync(() => WithClientAsync(client => client.GetManifestAsync(Access(registry), "app", Tag, Reference, TestCancellation)));

        Assert.Equal(("registry-corrupt", "The registry sent more than 8 MiB as the manifest for registry/app:latest."), (refused.Code, refused.What));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static RegistryLogin Access(TestServer registry) => new(registry.Authority, registry.Address, "AWS", new SecretValue("token"));

    private Task<ManifestDescriptor> ResolveAsync(TestServer registry) =>
        WithClientAsync(client => client.ResolveAsync(Access(registry), "team/app", "latest", Reference, TestCancellation));

    private async Task<T> WithClientAsync<T>(Func<RegistryClient, Task<T>> context)
    {
        using var client = new RegistryClient(_time);
        return await context(client);
    }

    private Task<TestServer> RegistryAsync(RequestDelegate answer) => ServerAsync(answer);

    private async Task<TestServer> ServerAsync(RequestDelegate answer)
    {
        var server = await TestServer.StartAsync(answer);
        _servers.Add(server);
        return server;
    }

    private static Task RespondWithDigest(HttpContext context)
    {
        context.Response.Headers["Docker-Content-Digest"] = Tag;
        context.Response.ContentType = MediaTypes.OciIndex;
        return Task.CompletedTask;
    }

    private static Task Status(HttpContext context, int status, string body = "")
    {
        context.Response.StatusCode = status;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.WriteAsync(body);
    }

    private static string Sha256(string text) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
