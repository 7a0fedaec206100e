using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Pushes OCI indexes with an attestation, as buildx does.</summary>
internal static class OciIndexPublisher
{
    private const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    private const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>Pushes an index of existing tags, each with the architecture that the index states for it.</summary>
    /// <returns>The digests of the index and of the first image.</returns>
    public static async Task<(string Index, string Image)> PushAsync(
        HttpClient http,
        LocalAwsServer aws,
        string repository,
        string tag,
        IReadOnlyList<(string Tag, string Architecture)> images,
        CancellationToken stopping)
    {
        var manifests = new JsonArray();
        string? first = null;
        foreach (var (imageTag, architecture) in images)
        {
            using var response = await http.SendAsync(Request(aws, HttpMethod.Get, repository, imageTag), stopping);
            var body = await response.Content.ReadAsByteArrayAsync(stopping);
            var digest = Digest(body);
            first ??= digest;
            manifests.Add(Entry(digest, body.Length, "linux", architecture));
        }
        // An attestation is a manifest with an unknown platform. Any stored manifest can play that part.
        manifests.Insert(0, Entry(first!, manifests[0]!["size"]!.GetValue<int>(), "unknown", "unknown"));
        var index = Encoding.UTF8.GetBytes(
            new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = OciIndex, ["manifests"] = manifests }.ToJsonString());
        var put = Request(aws, HttpMethod.Put, repository, tag);
        put.Content = new ByteArrayContent(index);
        put.Content.Headers.ContentType = new MediaTypeHeaderValue(OciIndex);
        using var pushed = await http.SendAsync(put, stopping);
        pushed.EnsureSuccessStatusCode();
        return (Digest(index), first!);
    }

    private static JsonObject Entry(string digest, int size, string os, string architecture) => new()
    {
        ["mediaType"] = DockerManifest,
        ["digest"] = digest,
        ["size"] = size,
        ["platform"] = new JsonObject { ["os"] = os, ["architecture"] = architecture },
    };

    internal static HttpRequestMessage Request(LocalAwsServer aws, HttpMethod method, string repository, string reference)
    {
        var (user, password) = aws.DockerLogin;
        var request = new HttpRequestMessage(method, new Uri(aws.RegistryEndpoint, $"/v2/{repository}/manifests/{reference}"));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        request.Headers.Accept.ParseAdd(DockerManifest);
        return request;
    }

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
}
