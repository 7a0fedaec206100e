using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using Xunit;

namespace RagAgent.IntegrationTests.AwsBench;

/// <summary>Requests signed by AWS's own signer, then spoilt; LocalAws must tell them apart.</summary>
public class SignatureRefusalTests : AwsTest
{
    [Fact]
    public async Task A_request_that_the_SDK_signed_is_answered()
    {
        var answer = await AskAsync(new BasicAWSCredentials(StaticKeyId, StaticSecret));

        Assert.Equal(Aws.RegistryEndpoint.ToString().TrimEnd('/'), answer["authorizationData"]![0]!["proxyEndpoint"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_a_signature_the_authentication_token_is_missing() =>
        await RefusedAsync("MissingAuthenticationTokenException", "Missing Authentication Token", credentials: null);

    [Fact]
    public async Task A_wrong_secret_gives_a_signature_that_does_not_match() =>
        await RefusedAsync("InvalidSignatureException", "does not match", new BasicAWSCredentials(StaticKeyId, "wrong"));

    [Fact]
    public async Task An_unknown_key_is_not_recognized() =>
        await RefusedAsync("UnrecognizedClientException", "is invalid", new BasicAWSCredentials("AKIDNOBODY", "secret"));

    [Fact]
    public async Task A_static_key_with_a_session_token_is_not_recognized() =>
        await RefusedAsync("UnrecognizedClientException", "is invalid", new SessionAWSCredentials(StaticKeyId, StaticSecret, "made-up"));

    [Fact]
    public async Task A_body_that_was_altered_on_the_way_does_not_match() =>
        await RefusedAsync("InvalidSignatureException", "does not match", Known, after: r => r.Content = Body("{ }"));

    [Fact]
    public async Task A_body_that_was_altered_with_its_hash_does_not_match() =>
        await RefusedAsync("InvalidSignatureException", "does not match", Known, after: r =>
        {
            r.Content = Body("{ }");
            r.Headers.Remove("X-Amz-Content-SHA256");
        });

    [Fact]
    public async Task A_request_for_another_region_is_out_of_scope() =>
        await RefusedAsync("InvalidSignatureException", "valid region", Known, region: RegionEndpoint.USEast1);

    [Fact]
    public async Task A_request_for_another_service_is_out_of_scope() =>
        await RefusedAsync("InvalidSignatureException", "correct service: 'ecr'", Known, service: "ssm");

    [Fact]
    public async Task A_signature_of_more_than_five_minutes_ago_has_expired()
    {
        Clock.Advance(TimeSpan.FromMinutes(6));

        await RefusedAsync("InvalidSignatureException", "Signature expired: ", Known);
    }

    [Fact]
    public async Task A_signature_of_more_than_five_minutes_ahead_is_not_yet_current()
    {
        Clock.AdjustTime(Clock.GetUtcNow() - TimeSpan.FromMinutes(6));

        await RefusedAsync("InvalidSignatureException", "Signature not yet current: ", Known);
    }

    [Fact]
    public async Task A_header_that_is_no_signature_is_incomplete() =>
        await RefusedAsync("IncompleteSignatureException", "'Signature'", Known,
            after: r => r.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", "Credential=nonsense"));

    private static BasicAWSCredentials Known => new(StaticKeyId, StaticSecret);

    private async Task RefusedAsync(string type, string sentence, AWSCredentials? credentials,
        Action<HttpRequestMessage>? after = null, RegionEndpoint? region = null, string service = "ecr")
    {
        var answer = await AskAsync(credentials, after, region, service, HttpStatusCode.BadRequest);

        Assert.Equal(type, answer["__type"]!.GetValue<string>());
        Assert.Contains(sentence, answer["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Null(Assert.Single(Aws.Requests.ByOperation("ecr:GetAuthorizationToken")).Principal);
    }

    private async Task<JsonNode> AskAsync(AWSCredentials? credentials, Action<HttpRequestMessage>? after = null,
        RegionEndpoint? region = null, string service = "ecr", HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var network = new SocketsHttpHandler { UseProxy = false };
        using var spoiler = new Spoiler(after) { InnerHandler = network };
        using var client = new HttpClient(
            credentials is null ? spoiler : new SigV4SigningHandler(credentials, region ?? RegionEndpoint.EUCentral1, service, spoiler));
        using var request = new HttpRequestMessage(HttpMethod.Post, Aws.ApiEndpoint) { Content = Body("{}") };
        request.Headers.Add("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
        using var response = await client.SendAsync(request, Stopping);
        Assert.Equal(expected, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Stopping))!;
    }

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/x-amz-json-1.1");

    private sealed class Spoiler(Action<HttpRequestMessage>? spoil) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stopping)
        {
            spoil?.Invoke(request);
            return base.SendAsync(request, stopping);
        }
    }
}
