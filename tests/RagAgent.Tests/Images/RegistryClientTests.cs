using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Images;
using RagAgent.Secrets;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Images;

public sealed class RegistryClientTests : IAsyncDisposable
{
    private const string Reference = "registry/app:latest";
    private const string Tag = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    private static readonly TimeSpan PatienceOfTheClient = TimeSpan.FromSeconds(30);

    private readonly SwiftTime _time = new(PatienceOfTheClient);
    private readonly List<IAsyncDisposable> _servers = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_tag_is_looked_up_with_one_HEAD_that_accepts_every_kind_of_manifest()
    {
        var registry = await RegistryAsync(call => Pointer(call));

        var pointer = await ResolveAsync(registry);

        Assert.Equal(new ManifestDescriptor(Tag, MediaTypes.OciIndex), pointer);
        var request = Assert.Single(registry.Requests);
        Assert.Equal("HEAD /v2/team/app/manifests/latest", request.ToString());
        Assert.Equal(string.Join(", ", MediaTypes.All), string.Join(", ", request.Headers["Accept"].Split(',', StringSplitOptions.TrimEntries)));
        Assert.Equal("Basic " + Convert.ToBase64String("AWS:token"u8), request.Headers["Authorization"]);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(404)]
    [InlineData(405)]
    public async Task Where_HEAD_is_not_allowed_GET_is_used(int status)
    {
        var registry = await RegistryAsync(call => call.Request.Method == "HEAD" ? Status(call, status) : Pointer(call));

        Assert.Equal(new ManifestDescriptor(Tag, MediaTypes.OciIndex), await ResolveAsync(registry));
        Assert.Equal(["HEAD", "GET"], registry.Requests.Select(r => r.Method));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_registry_that_names_no_digest_has_it_computed()
    {
        var registry = await RegistryAsync(call =>
        {
            call.Response.ContentType = MediaTypes.DockerManifest;
            return call.Request.Method == "HEAD" ? Task.CompletedTask : call.Response.WriteAsync("manifest");
        });

        Assert.Equal(new ManifestDescriptor(Sha256("manifest"), MediaTypes.DockerManifest), await ResolveAsync(registry));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(404, "NAME_UNKNOWN", "The repository with name 'app' does not exist in the registry with id '1'", "registry-repository-missing",
        "The repository of registry/app:latest does not exist: name unknown: The repository with name 'app' does not exist in the registry with id '1'.")]
    [InlineData(404, "MANIFEST_UNKNOWN", "Requested image not found", "registry-tag-missing", "registry/app:latest does not exist: the repository has no such tag.")]
    [InlineData(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.", "registry-token-refused",
        "The registry refused the token for registry/app:latest: denied: Your authorization token has expired. Reauthenticate and try again.")]
    [InlineData(401, "UNAUTHORIZED", "authentication required", "registry-token-refused", "The registry refused the token for registry/app:latest: unauthorized: authentication required.")]
    public async Task A_refusal_is_told_in_the_words_that_only_GET_carries(int status, string code, string message, string problem, string sentence)
    {
        var registry = await RegistryAsync(call => Status(call, status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}"""));

        var refused = await Refused.ByAsync(() => ResolveAsync(registry));

        Assert.Equal((problem, sentence), (refused.Code, refused.What));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("7", 7)]
    [InlineData("20", 20)]
    public async Task A_registry_that_throttles_is_asked_again_after_the_short_time_it_names(string retryAfter, int seconds)
    {
        var refusals = 1;
        var registry = await RegistryAsync(call =>
        {
            if (Interlocked.Decrement(ref refusals) < 0)
            {
                return Pointer(call);
            }
            call.Response.Headers.RetryAfter = retryAfter;
            return Status(call, 429);
        });

        Assert.Equal(Tag, (await ResolveAsync(registry)).Digest);
        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(_time.Waits));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("21", 21)]
    [InlineData("600", 600)]
    [InlineData("86400", 600)]
    [InlineData("Fri, 01 Jan 2100 00:00:00 GMT", 600)]
    public async Task A_registry_that_names_a_longer_time_is_left_in_peace_and_the_time_is_passed_on(string retryAfter, int seconds)
    {
        var registry = await RegistryAsync(call =>
        {
            call.Response.Headers.RetryAfter = retryAfter;
            return Status(call, 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}""");
        });

        var resolving = await Refused.ByAsync(() => ResolveAsync(registry));
        var getting = await Refused.ByAsync(() => WithClientAsync(client => client.GetManifestAsync(Access(registry), "team/app", Tag, Reference, Stop)));

        Assert.Equal(["HEAD", "GET"], registry.Requests.Select(r => r.Method));
        Assert.All([resolving, getting], problem => Assert.Equal(("registry-throttled", TimeSpan.FromSeconds(seconds)), (problem.Code, problem.RetryAfter)));
        Assert.Empty(_time.Waits);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_registry_that_throttles_again_and_again_is_left_in_peace_after_three_tries()
    {
        var registry = await RegistryAsync(call => Status(call, 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}"""));

        var refused = await Refused.ByAsync(() => ResolveAsync(registry));

        Assert.Equal(("registry-throttled", null), (refused.Code, refused.RetryAfter));
        Assert.Equal(["HEAD", "HEAD", "HEAD", "GET", "GET", "GET"], registry.Requests.Select(r => r.Method));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_failing_registry_is_asked_again()
    {
        var failures = 2;
        var registry = await RegistryAsync(call => Interlocked.Decrement(ref failures) >= 0 ? Status(call, 500) : Pointer(call));

        Assert.Equal(Tag, (await ResolveAsync(registry)).Digest);
        Assert.All(_time.Waits, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(5)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_was_asked_for_by_its_digest_is_checked_against_it()
    {
        var registry = await RegistryAsync(call => call.Response.WriteAsync("manifest"));

        var digest = Sha256("manifest");
        Assert.Equal("manifest"u8.ToArray(), await WithClientAsync(client => client.GetManifestAsync(Access(registry), "team/app", digest, Reference, Stop)));
        Assert.Equal("manifest"u8.ToArray(), await WithClientAsync(client => client.GetBlobAsync(Access(registry), "team/app", digest, Reference, Stop)));
        Assert.Equal([$"GET /v2/team/app/manifests/{digest}", $"GET /v2/team/app/blobs/{digest}"], registry.Requests.Select(r => r.ToString()));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Another_text_under_a_digest_is_refused()
    {
        var registry = await RegistryAsync(call => call.Response.WriteAsync("something else"));

        var refused = await Refused.ByAsync(() => WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Sha256("manifest"), Reference, Stop)));

        Assert.Equal(("registry-corrupt", $"The registry sent something else than {Sha256("manifest")[..19]} for registry/app:latest."), (refused.Code, refused.What));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_redirect_to_the_blob_store_takes_no_authorization_along()
    {
        var store = await ServerAsync(call => call.Response.WriteAsync("blob"));
        var registry = await RegistryAsync(call =>
        {
            call.Response.StatusCode = 307;
            call.Response.Headers.Location = $"{store.Address}signed?X-Amz-Signature=1";
            return Task.CompletedTask;
        });

        Assert.Equal("blob"u8.ToArray(), await WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Sha256("blob"), Reference, Stop)));
        var followed = Assert.Single(store.Requests);
        Assert.Equal("GET /signed?X-Amz-Signature=1", followed.ToString());
        Assert.DoesNotContain("Authorization", followed.Headers.Keys);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_registry_that_wants_a_bearer_token_is_asked_with_one()
    {
        var tokens = await ServerAsync(call => call.Response.WriteAsync("""{ "token": "anonymous" }"""));
        var registry = await RegistryAsync(call =>
        {
            if (call.Request.Headers.Authorization == "Bearer anonymous")
            {
                return Pointer(call);
            }
            call.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{tokens.Address}token\",service=\"registry.example\",scope=\"repository:team/app:pull\"";
            return Status(call, 401);
        });

        var access = new RegistryAccess("registry.example", registry.Address, null, null);
        var pointer = await WithClientAsync(client => client.ResolveAsync(access, "team/app", "latest", Reference, Stop));

        Assert.Equal(Tag, pointer.Digest);
        Assert.Equal("GET /token?service=registry.example&scope=repository%3Ateam%2Fapp%3Apull", Assert.Single(tokens.Requests).ToString());
        Assert.DoesNotContain("Authorization", registry.Requests[0].Headers.Keys);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_registry_where_nobody_listens_is_named()
    {
        var gone = await RegistryAsync(call => Pointer(call));
        await gone.DisposeAsync();

        var refused = await Refused.ByAsync(() => ResolveAsync(gone));

        Assert.Equal(("registry-unreachable", $"The registry {gone.Authority} can't be reached: the connection was refused."), (refused.Code, refused.What));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_registry_that_falls_silent_is_given_up(bool inTheMiddleOfItsAnswer)
    {
        var time = new FakeTimeProvider();
        var silent = new TaskCompletionSource();
        var registry = await RegistryAsync(async call =>
        {
            if (inTheMiddleOfItsAnswer)
            {
                call.Response.ContentLength = 100;
                await call.Response.WriteAsync("{");
                await call.Response.Body.FlushAsync();
            }
            silent.TrySetResult();
            await TestServer.HangAsync(call);
        });
        using var client = new RegistryClient(time);

        var asking = client.GetBlobAsync(Access(registry), "app", Tag, Reference, Stop);
        await silent.Task.WaitAsync(Stop);
        while (!asking.IsCompleted)
        {
            // Each advance is less than the client's patience, so that its time for the body begins after its time for the headers.
            time.Advance(PatienceOfTheClient / 100);
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var refused = await Refused.ByAsync(() => asking);
        Assert.Equal(("registry-unreachable", $"The registry {registry.Authority} can't be reached: it did not answer in time."), (refused.Code, refused.What));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_answer_that_is_cut_off_is_told_as_a_cut_connection()
    {
        var registry = await RegistryAsync(async call =>
        {
            call.Response.ContentLength = 100;
            await call.Response.WriteAsync("{");
            await call.Response.Body.FlushAsync();
            call.Abort();
        });

        var refused = await Refused.ByAsync(() => WithClientAsync(client => client.GetBlobAsync(Access(registry), "app", Tag, Reference, Stop)));

        Assert.Equal("registry-unreachable", refused.Code);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_manifest_of_many_megabytes_is_none_whether_its_length_is_told_or_not(bool told)
    {
        var registry = await RegistryAsync(async call =>
        {
            var chunk = new byte[1024 * 1024];
            call.Response.ContentLength = told ? 9 * chunk.Length : null;
            for (var i = 0; i < 9; i++)
            {
                await call.Response.Body.WriteAsync(chunk, call.RequestAborted);
            }
        });

        var refused = await Refused.ByAsync(() => WithClientAsync(client => client.GetManifestAsync(Access(registry), "app", Tag, Reference, Stop)));

        Assert.Equal(("registry-corrupt", "The registry's manifest for registry/app:latest is too large to be one."), (refused.Code, refused.What));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static RegistryAccess Access(TestServer registry) => new(registry.Authority, registry.Address, "AWS", new SecretValue("token"));

    private Task<ManifestDescriptor> ResolveAsync(TestServer registry) => WithClientAsync(client => client.ResolveAsync(Access(registry), "team/app", "latest", Reference, Stop));

    private async Task<T> WithClientAsync<T>(Func<RegistryClient, Task<T>> call)
    {
        using var client = new RegistryClient(_time);
        return await call(client);
    }

    private Task<TestServer> RegistryAsync(RequestDelegate answer) => ServerAsync(answer);

    private async Task<TestServer> ServerAsync(RequestDelegate answer)
    {
        var server = await TestServer.StartAsync(answer);
        _servers.Add(server);
        return server;
    }

    private static Task Pointer(HttpContext call)
    {
        call.Response.Headers["Docker-Content-Digest"] = Tag;
        call.Response.ContentType = MediaTypes.OciIndex;
        return Task.CompletedTask;
    }

    private static Task Status(HttpContext call, int status, string body = "")
    {
        call.Response.StatusCode = status;
        return call.Request.Method == "HEAD" ? Task.CompletedTask : call.Response.WriteAsync(body);
    }

    private static string Sha256(string text) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
