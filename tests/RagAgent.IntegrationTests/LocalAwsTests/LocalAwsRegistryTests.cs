using System.Net;
using System.Net.Http.Headers;
using LocalAws;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>ECR's behavior in front of a real registry.</summary>
public class LocalAwsRegistryTests : LocalAwsTestBase
{
    private const string Repository = "team/ragstream-web";

    [Fact]
    public async Task The_registry_challenges_a_request_without_a_login_as_ECR_does()
    {
        using var response = await Http.GetAsync(new Uri(Aws.RegistryEndpoint, "/v2/"), TestCancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal($"Basic realm=\"{Aws.RegistryEndpoint}\",service=\"ecr.amazonaws.com\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task An_unknown_password_does_not_open_the_registry()
    {
        using var response = await SendToRegistryAsync(HttpMethod.Get, "/v2/", "guessed");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_registry_token_is_valid_for_twelve_hours()
    {
        var token = await TokenAsync();
        using (var early = await SendToRegistryAsync(HttpMethod.Get, "/v2/", token))
        {
            Assert.Equal(HttpStatusCode.OK, early.StatusCode);
        }

        Clock.Advance(TimeSpan.FromHours(12));

        using var late = await SendToRegistryAsync(HttpMethod.Get, "/v2/", token);
        await AssertErrorAsync(late, HttpStatusCode.Forbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
    }

    [Fact]
    public async Task All_registry_tokens_except_the_publishers_can_be_expired_at_once()
    {
        var token = await TokenAsync();

        Aws.RegistryTokens.ExpireAll();

        using var expired = await SendToRegistryAsync(HttpMethod.Get, "/v2/", token);
        using var publisher = await SendToRegistryAsync(HttpMethod.Get, "/v2/");
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (expired.StatusCode, publisher.StatusCode));
    }

    [Fact]
    public async Task A_missing_repository_and_a_missing_tag_have_ECRs_error_messages()
    {
        Aws.Repositories.Create(Repository);

        using var noRepository = await SendToRegistryAsync(HttpMethod.Get, "/v2/nope/manifests/latest");
        using var noTag = await SendToRegistryAsync(HttpMethod.Get, $"/v2/{Repository}/manifests/latest");

        await AssertErrorAsync(noRepository, HttpStatusCode.NotFound, "NAME_UNKNOWN",
            "The repository with name 'nope' does not exist in the registry with id '123456789012'");
        await AssertErrorAsync(noTag, HttpStatusCode.NotFound, "MANIFEST_UNKNOWN", "Requested image not found");
    }

    [Fact]
    public async Task A_pushed_image_is_found_by_tag_and_by_digest()
    {
        var image = TestImage.Create(fileSize: 1000);
        Assert.Equal(HttpStatusCode.Created, await image.PushAsync(Aws, Http, Repository, "latest", TestCancellation));

        foreach (var reference in new[] { "latest", image.Digest })
        {
            using var head = await SendToRegistryAsync(HttpMethod.Head, $"/v2/{Repository}/manifests/{reference}");
            Assert.Equal(image.Digest, head.Headers.GetValues("Docker-Content-Digest").Single());
        }
    }

    [Fact]
    public async Task A_blob_is_redirected_to_a_storage_address_that_needs_no_login()
    {
        var image = await PushAsync();

        var link = await StorageAddressAsync(image);

        Assert.NotEqual(Aws.RegistryEndpoint.Host, link.Host);
        Assert.Equal(image.Layer, await Http.GetByteArrayAsync(link, TestCancellation));
        Assert.Single(Aws.Requests.ByOperation("storage:blob"));
    }

    [Fact]
    public async Task The_blob_storage_refuses_a_request_with_the_registrys_login()
    {
        var link = await StorageAddressAsync(await PushAsync());
        using var request = new HttpRequestMessage(HttpMethod.Get, link);
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", "QVdTOng=");

        using var response = await Http.SendAsync(request, TestCancellation);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "Only one auth mechanism allowed", await response.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_storage_address_is_valid_for_one_hour_and_one_blob()
    {
        var image = await PushAsync();
        var link = await StorageAddressAsync(image);
        var forged = new Uri(
            link.ToString().Replace(TestImage.DigestOf(image.Layer), TestImage.DigestOf(image.Config), StringComparison.Ordinal));
        using var refused = await Http.GetAsync(forged, TestCancellation);

        Clock.Advance(TimeSpan.FromMinutes(61));

        using var late = await Http.GetAsync(link, TestCancellation);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (refused.StatusCode, late.StatusCode));
    }

    [Fact]
    public async Task HttpClient_does_not_forward_the_login_to_a_redirect()
    {
        var image = await PushAsync();

        using var response = await SendToRegistryAsync(HttpMethod.Get, BlobPath(image));

        Assert.Equal(image.Layer, await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(TestCancellation));
    }

    [Fact]
    public async Task A_push_creates_no_repository_if_that_is_off()
    {
        await using var strict = await LocalAwsServer.StartAsync(
            Options with { StorageDirectory = Path.Combine(Folder, "strict"), CreateRepositoryOnPush = false }, TestCancellation);
        var image = TestImage.Create(fileSize: 10);

        var before = await image.PushAsync(strict, Http, Repository, "latest", TestCancellation);
        strict.Repositories.Create(Repository);
        var after = await image.PushAsync(strict, Http, Repository, "latest", TestCancellation);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.Created), (before, after));
    }

    [Fact]
    public async Task Images_survive_a_restart_on_the_same_storage()
    {
        var image = await PushAsync();
        await Aws.DisposeAsync();

        await using var again = await LocalAwsServer.StartAsync(Options, TestCancellation);

        Assert.Equal([Repository], again.Repositories.Names);
        Assert.Equal(HttpStatusCode.Created, await image.PushAsync(again, Http, Repository, "again", TestCancellation));
    }

    [Fact]
    public async Task An_error_names_a_registry_that_can_not_start()
    {
        var failure = await Assert.ThrowsAsync<LocalAwsException>(() => LocalAwsServer.StartAsync(
            Options with { RegistryProgram = "/nonexistent/docker-registry" }, TestCancellation));

        Assert.Contains("/nonexistent/docker-registry", failure.Message, StringComparison.Ordinal);
    }

    private async Task<TestImage> PushAsync()
    {
        var image = TestImage.Create(fileSize: 200_000);
        Assert.Equal(HttpStatusCode.Created, await image.PushAsync(Aws, Http, Repository, "latest", TestCancellation));
        return image;
    }

    private async Task<Uri> StorageAddressAsync(TestImage image)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Aws.RegistryEndpoint, BlobPath(image)));
        request.Headers.Authorization = BasicLogin(Aws.DockerLogin.Password);
        using var response = await client.SendAsync(request, TestCancellation);
        Assert.Equal(HttpStatusCode.TemporaryRedirect, response.StatusCode);
        return response.Headers.Location!;
    }

    private Task<string> TokenAsync() => new EcrClient(Aws).TokenAsync(StaticKeyId, StaticSecret, TestCancellation);

    private static string BlobPath(TestImage image) => $"/v2/{Repository}/blobs/{TestImage.DigestOf(image.Layer)}";
}
