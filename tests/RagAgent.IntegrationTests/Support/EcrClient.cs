using System.Text;
using System.Text.Json.Nodes;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using LocalAws;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Gets a registry password with a request signed by the AWS SDK.</summary>
internal sealed class EcrClient(LocalAwsServer aws)
{
    public async Task<string> TokenAsync(string keyId, string secret, CancellationToken stopping)
    {
        using var network = new SocketsHttpHandler { UseProxy = false };
        using var client = new HttpClient(
            new SigV4SigningHandler(new BasicAWSCredentials(keyId, secret), RegionEndpoint.EUCentral1, "ecr", network));
        using var request = new HttpRequestMessage(HttpMethod.Post, aws.ApiEndpoint)
        {
            Content = new StringContent("{}", Encoding.UTF8, "application/x-amz-json-1.1"),
        };
        request.Headers.Add("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
        using var response = await client.SendAsync(request, stopping);
        var answer = JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(stopping))!;
        var token = answer["authorizationData"]![0]!["authorizationToken"]!.GetValue<string>();
        return Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split(':', 2)[1];
    }
}
