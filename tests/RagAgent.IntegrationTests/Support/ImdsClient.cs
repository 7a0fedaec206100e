using System.Text.Json.Nodes;
using Amazon.Runtime;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Reads the role's credentials from IMDS over plain HTTP, so that a test can use them after they expired.</summary>
internal sealed class ImdsClient(HttpClient http, Uri endpoint)
{
    public async Task<SessionAWSCredentials> CredentialsAsync(CancellationToken stopping)
    {
        using var put = new HttpRequestMessage(HttpMethod.Put, new Uri(endpoint, "/latest/api/token"));
        put.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "60");
        using var issued = await http.SendAsync(put, stopping);
        var token = await issued.Content.ReadAsStringAsync(stopping);
        using var get = new HttpRequestMessage(
            HttpMethod.Get, new Uri(endpoint, "/latest/meta-data/iam/security-credentials/ragstream-instance"));
        get.Headers.Add("X-aws-ec2-metadata-token", token);
        using var response = await http.SendAsync(get, stopping);
        var document = JsonNode.Parse(await response.Content.ReadAsStringAsync(stopping))!;
        return new SessionAWSCredentials(
            (string)document["AccessKeyId"]!, (string)document["SecretAccessKey"]!, (string)document["Token"]!);
    }
}
