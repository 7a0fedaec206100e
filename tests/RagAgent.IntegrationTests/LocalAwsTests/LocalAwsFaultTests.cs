using System.Net;
using LocalAws.Faults;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>Every kind of fault. Faults of IMDS and SSM are tested with their services.</summary>
public class LocalAwsFaultTests : LocalAwsTestBase
{
    private const string Manifest = "/v2/app/manifests/latest";

    [Fact]
    public async Task A_hanging_request_is_recorded_and_released_when_the_fault_is_cleared()
    {
        Aws.Faults.Add("imds-token", new Fault.Hang(), times: 1);
        var hanging = Http.PutAsync(new Uri(Aws.ApiEndpoint, "/latest/api/token"), null, TestCancellation);
        await Aws.Requests.WaitForAsync(r => r is { Operation: "imds-token", Status: null }, TestCancellation);
        Assert.False(hanging.IsCompleted);

        Aws.Faults.Clear();

        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
        await Aws.Requests.WaitForAsync(r => r is { Operation: "imds-token", Status: 0 }, TestCancellation);
    }

    [Fact]
    public async Task A_client_can_abandon_a_hanging_request()
    {
        Aws.Faults.Add("registry:any", new Fault.Hang());
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        var hanging = Http.GetAsync(new Uri(Aws.RegistryEndpoint, "/v2/"), leaves.Token);
        await Aws.Requests.WaitForAsync(r => r.Operation == "registry:other", TestCancellation);

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        await Aws.Requests.WaitForAsync(r => r.Status == 0, TestCancellation);
    }

    [Fact]
    public async Task A_delayed_response_arrives_after_its_delay()
    {
        Aws.Faults.Add("imds-token", new Fault.Delay(Seconds: 30), times: 1);
        var begin = Clock.GetUtcNow();
        var delayed = Http.PutAsync(new Uri(Aws.ApiEndpoint, "/latest/api/token"), null, TestCancellation);
        await Aws.Requests.WaitForAsync(r => r.Operation == "imds-token", TestCancellation);

        await AdvanceClockUntilAsync(delayed);

        Assert.Equal(HttpStatusCode.BadRequest, (await delayed).StatusCode);
        Assert.True(Clock.GetUtcNow() - begin >= TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task The_cut_fault_ends_a_connection_in_the_middle_of_a_blob()
    {
        var image = await PushAsync(fileSize: 100_000);
        Aws.Faults.Add("registry:blob", new Fault.Cut(AfterBytes: 5000), times: 1);

        using (var cut = await SendToRegistryAsync(HttpMethod.Get, BlobPath(image)))
        {
            var received = new MemoryStream();
            await Assert.ThrowsAnyAsync<Exception>(() => cut.EnsureSuccessStatusCode().Content.CopyToAsync(received, TestCancellation));
            Assert.InRange(received.Length, 0, 5000);
        }
        using var whole = await SendToRegistryAsync(HttpMethod.Get, BlobPath(image));
        Assert.Equal(image.Layer, await whole.Content.ReadAsByteArrayAsync(TestCancellation));
    }

    [Fact]
    public async Task The_cut_fault_ends_a_connection_before_any_response()
    {
        Aws.Faults.Add("imds-token", new Fault.Cut(), times: 1);

        await Assert.ThrowsAsync<HttpRequestException>(
            () => Http.PutAsync(new Uri(Aws.ApiEndpoint, "/latest/api/token"), null, TestCancellation));
    }

    [Fact]
    public async Task A_throttled_blob_arrives_no_faster_than_its_rate()
    {
        var image = await PushAsync(fileSize: 50_000);
        Aws.Faults.Add("registry:blob", new Fault.Throttle(BytesPerSecond: 10_000));
        var begin = Clock.GetUtcNow();
        var pull = PullAsync(image);

        await AdvanceClockUntilAsync(pull);

        Assert.Equal(image.Layer, await pull);
        Assert.True(Clock.GetUtcNow() - begin >= TimeSpan.FromSeconds(image.Layer.Length / 10_000.0) - TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task A_fault_for_HEAD_does_not_affect_GET()
    {
        await PushAsync();
        Aws.Faults.Add("registry:manifest", new Fault.Error("UNSUPPORTED"), method: "HEAD");

        using var head = await SendToRegistryAsync(HttpMethod.Head, Manifest);
        using var get = await SendToRegistryAsync(HttpMethod.Get, Manifest);

        Assert.Equal((HttpStatusCode.MethodNotAllowed, HttpStatusCode.OK), (head.StatusCode, get.StatusCode));
    }

    [Fact]
    public async Task Too_many_requests_carries_Retry_After()
    {
        await PushAsync();
        Aws.Faults.Add("registry:manifest", new Fault.Error("TOOMANYREQUESTS", RetryAfterSeconds: 7), times: 2);

        using var first = await SendToRegistryAsync(HttpMethod.Get, Manifest);
        using var second = await SendToRegistryAsync(HttpMethod.Get, Manifest);
        using var third = await SendToRegistryAsync(HttpMethod.Get, Manifest);

        Assert.Equal(TimeSpan.FromSeconds(7), first.Headers.RetryAfter!.Delta);
        await AssertErrorAsync(second, HttpStatusCode.TooManyRequests, "TOOMANYREQUESTS", "Rate exceeded");
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task A_pull_denied_by_IAM_names_caller_action_and_repository()
    {
        await PushAsync();
        Aws.Faults.Add("registry:manifest", new Fault.Error("DENIED"));
        var token = await new EcrClient(Aws).TokenAsync(StaticKeyId, StaticSecret, TestCancellation);

        using var denied = await SendToRegistryAsync(HttpMethod.Get, Manifest, token);

        await AssertErrorAsync(denied, HttpStatusCode.Forbidden, "DENIED",
            "User: arn:aws:iam::123456789012:user/static is not authorized to perform: ecr:BatchGetImage on resource: "
            + "arn:aws:ecr:eu-central-1:123456789012:repository/app because no identity-based policy allows the ecr:BatchGetImage action");
    }

    [Fact]
    public async Task A_request_without_a_login_does_not_use_up_a_fault()
    {
        Aws.Faults.Add("registry:any", new Fault.Error("UNKNOWN", Status: 503), times: 1);

        using var challenge = await Http.GetAsync(new Uri(Aws.RegistryEndpoint, "/v2/"), TestCancellation);
        using var faulty = await SendToRegistryAsync(HttpMethod.Get, "/v2/");

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.ServiceUnavailable), (challenge.StatusCode, faulty.StatusCode));
        Assert.Empty(Aws.Faults.Snapshot());
    }

    [Fact]
    public void A_fault_with_zero_repetitions_is_rejected() =>
        Assert.Throws<ArgumentException>(() => Aws.Faults.Add("imds-token", new Fault.Hang(), times: 0));

    private async Task<TestImage> PushAsync(int fileSize = 10)
    {
        var image = TestImage.Create(fileSize);
        Assert.Equal(HttpStatusCode.Created, await image.PushAsync(Aws, Http, "app", "latest", TestCancellation));
        return image;
    }

    private async Task<byte[]> PullAsync(TestImage image)
    {
        using var response = await SendToRegistryAsync(HttpMethod.Get, BlobPath(image));
        return await response.Content.ReadAsByteArrayAsync(TestCancellation);
    }

    private static string BlobPath(TestImage image) => $"/v2/app/blobs/{TestImage.DigestOf(image.Layer)}";
}
