using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>An image of one layer with one file, pushed to the registry with plain HTTP requests.</summary>
internal sealed class TestImage
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";

    private TestImage(byte[] layer, byte[] config, byte[] manifest) => (Layer, Config, Manifest) = (layer, config, manifest);

    public byte[] Layer { get; }

    public byte[] Config { get; }

    public byte[] Manifest { get; }

    public string Digest => DigestOf(Manifest);

    public static TestImage Create(int fileSize)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
        using (var data = new MemoryStream(RandomNumberGenerator.GetBytes(fileSize)))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "file") { DataStream = data });
        }

        var layer = tar.ToArray();
        var config = Bytes(new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/file") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(DigestOf(layer)) },
        });
        var manifest = Bytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Descriptor("application/vnd.docker.container.image.v1+json", config),
            ["layers"] = new JsonArray(Descriptor("application/vnd.docker.image.rootfs.diff.tar", layer)),
        });
        return new TestImage(layer, config, manifest);
    }

    /// <returns>The status of the manifest's upload, or the first status that is an error.</returns>
    public async Task<HttpStatusCode> PushAsync(
        LocalAwsServer aws, HttpClient http, string repository, string tag, CancellationToken stopping)
    {
        foreach (var blob in new[] { Layer, Config })
        {
            using var begun = await SendAsync(
                aws, http, HttpMethod.Post, new Uri(aws.RegistryEndpoint, $"/v2/{repository}/blobs/uploads/"), null, stopping);
            if (!begun.IsSuccessStatusCode)
            {
                return begun.StatusCode;
            }

            var location = begun.Headers.Location!;
            Assert.Equal(aws.RegistryHost, location.Authority);
            using var content = Content(blob, "application/octet-stream");
            var upload = new Uri($"{location}{(location.Query.Length > 0 ? '&' : '?')}digest={DigestOf(blob)}");
            using var ended = await SendAsync(aws, http, HttpMethod.Put, upload, content, stopping);
            if (!ended.IsSuccessStatusCode)
            {
                return ended.StatusCode;
            }
        }
        using var manifest = Content(Manifest, ManifestType);
        using var pushed = await SendAsync(
            aws, http, HttpMethod.Put, new Uri(aws.RegistryEndpoint, $"/v2/{repository}/manifests/{tag}"), manifest, stopping);
        return pushed.StatusCode;
    }

    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static async Task<HttpResponseMessage> SendAsync(
        LocalAwsServer aws, HttpClient http, HttpMethod method, Uri address, HttpContent? content, CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(method, address) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{aws.DockerLogin.User}:{aws.DockerLogin.Password}")));
        return await http.SendAsync(request, stopping);
    }

    private static ByteArrayContent Content(byte[] bytes, string type) =>
        new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    private static JsonObject Descriptor(string type, byte[] bytes) =>
        new() { ["mediaType"] = type, ["size"] = bytes.Length, ["digest"] = DigestOf(bytes) };

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());
}
