using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>Requests signed by the AWS SDK and then tampered with. LocalAws must tell the kinds apart.</summary>
public class InvalidSignatureTests : LocalAwsTestBase
{
    [Fact]
    public async Task A_request_signed_by_the_SDK_is_answered()
    {
        var answer = await SendAsync(new BasicAWSCredentials(StaticKeyId, StaticSecret));

        Assert.Equal(Aws.RegistryEndpoint.ToString().TrimEnd('/'), answer["authorizationData"]![0]!["proxyEndpoint"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_request_without_a_signature_lacks_its_authentication_token() =>
        await AssertRefusedAsync("MissingAuthenticationTokenException", "Missing Authentication Token", credentials: null);

    [Fact]
    public async Task A_signature_with_a_wrong_secret_does_not_match() =>
        await AssertRefusedAsync("InvalidSignatureException", "does not match", new BasicAWSCredentials(StaticKeyId, "wrong"));

    [Fact]
    public async Task An_unknown_key_is_not_recognized() =>
        await AssertRefusedAsync("UnrecognizedClientException", "is invalid", new BasicAWSCredentials("AKIDNOBODY", "secret"));

    [Fact]
    public async Task A_static_key_with_a_session_token_is_not_recognized() =>
        await AssertRefusedAsync(
            "UnrecognizedClientException", "is invalid", new SessionAWSCredentials(StaticKeyId, StaticSecret, "made-up"));

    [Fact]
    public async Task A_body_altered_in_transit_does_not_match_its_signature() =>
        await AssertRefusedAsync("InvalidSignatureException", "does not match", ValidCredentials, after: r => r.Content = Body("{ }"));

    [Fact]
    public async Task A_body_altered_together_with_its_hash_does_not_match_its_signature() =>
        await AssertRefusedAsync("InvalidSignatureException", "does not match", ValidCredentials, after: r =>
        {
            r.Content = Body("{ }");
            r.Headers.Remove("X-Amz-Content-SHA256");
        });

    [Fact]
    public async Task A_request_for_another_region_is_out_of_scope() =>
        await AssertRefusedAsync("InvalidSignatureException", "valid region", ValidCredentials, region: RegionEndpoint.USEast1);

    [Fact]
    public async Task A_request_for_another_service_is_out_of_scope() =>
        await AssertRefusedAsync("InvalidSignatureException", "correct service: 'ecr'", ValidCredentials, service: "ssm");

    [Fact]
    public async Task A_signature_more_than_five_minutes_old_has_expired()
    {
        Clock.Advance(TimeSpan.FromMinutes(6));

        await AssertRefusedAsync("InvalidSignatureException", "Signature expired: ", ValidCredentials);
    }

    [Fact]
    public async Task A_signature_more_than_five_minutes_in_the_future_is_not_yet_current()
    {
        Clock.AdjustTime(Clock.GetUtcNow() - TimeSpan.FromMinutes(6));

        await AssertRefusedAsync("InvalidSignatureException", "Signature not yet current: ", ValidCredentials);
    }

    [Fact]
    public async Task A_malformed_authorization_header_is_an_incomplete_signature() =>
        await AssertRefusedAsync("IncompleteSignatureException", "'Signature'", ValidCredentials,
            after: r => r.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", "Credential=nonsense"));

    private static BasicAWSCredentials ValidCredentials => new(StaticKeyId, StaticSecret);

    private async Task AssertRefusedAsync(string type, string sentence, AWSCredentials? credentials,
        Action<HttpRequestMessage>? after = null, RegionEndpoint? region = null, string service = "ecr")
    {
        var answer = await SendAsync(credentials, after, region, service, HttpStatusCode.BadRequest);

        Assert.Equal(type, answer["__type"]!.GetValue<string>());
        Assert.Contains(sentence, answer["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(Assert.Single(Aws.Requests.ByOperation("ecr:GetAuthorizationToken")).Principal);
    }

    private async Task<JsonNode> SendAsync(AWSCredentials? credentials, Action<HttpRequestMessage>? after = null,
        RegionEndpoint? region = null, string service = "ecr", HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var network = new SocketsHttpHandler { UseProxy = false };
        using var spoiler = new TamperingHandler(after) { InnerHandler = network };
        using var client = new HttpClient(
            credentials is null ? spoiler : new SigV4SigningHandler(credentials, region ?? RegionEndpoint.EUCentral1, service, spoiler));
        using var request = new HttpRequestMessage(HttpMethod.Post, Aws.ApiEndpoint) { Content = Body("{}") };
        request.Headers.Add("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
        using var response = await client.SendAsync(request, TestCancellation);
        Assert.Equal(expected, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestCancellation))!;
    }

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/x-amz-json-1.1");

    private sealed class TamperingHandler(Action<HttpRequestMessage>? spoil) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stopping)
        {
            spoil?.Invoke(request);
            return base.SendAsync(request, stopping);
        }
    }
}
