using LocalAws.Requests;
using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>OCI images with a layer compression that an engine may be too old for.</summary>
public sealed class ImageCompressionTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task Zstd_layers_are_refused_before_pulling_if_the_engine_is_too_old_and_gzip_serves()
    {
        // The real engine may be newer, so requests are rewritten to its own API version.
        var real = (await Docker.RunCheckedAsync("version", "--format", "{{.Server.APIVersion}}")).Trim();
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            var path = context.Request.Path.Value!;
            if (path.EndsWith("/version", StringComparison.Ordinal))
            {
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(
                    """{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"}""", TestCancellation);
                return true;
            }
            context.Request.Path = path.Replace("/v1.41/", $"/v{real}/", StringComparison.Ordinal);
            return false;
        });
        await PushAsync("1", "docker");
        await CopyAsync("zstd");
        StartAgent();

        var problem = await WaitForProblemAsync("image-compression");
        Assert.Equal($"{Repository}:latest has zstd-compressed layers, which Docker 20.10.24 (API 1.41) can't unpack.", problem.What);
        Assert.StartsWith("Push the image with gzip layers", problem.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Aws.Requests.ByOperation(Operations.StorageBlob), r => r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase));

        await CopyAsync("gzip");
        await WaitForAsync(s => s.App.State == "serving", "the image that can be unpacked serves");
    }

    /// <summary>Copies the tag <c>docker</c> to <c>latest</c> in OCI format.</summary>
    // Through a folder, because skopeo doesn't recompress layers that the registry already has.
    private async Task CopyAsync(string compression)
    {
        var folder = $"oci:{Path.Combine(Folder, compression)}:image";
        var (user, password) = Aws.DockerLogin;
        await CopyImageAsync(
            "--src-tls-verify=false", "--src-creds", $"{user}:{password}",
            "--format", "oci", "--dest-compress", "--dest-compress-format", compression,
            $"docker://{Repository}:docker", folder);
        await CopyImageAsync("--dest-tls-verify=false", "--dest-creds", $"{user}:{password}", folder, $"docker://{Repository}:latest");
    }

    private static async Task CopyImageAsync(params string[] arguments) =>
        (await ProcessRunner.RunAsync("skopeo", ["copy", "--insecure-policy", .. arguments], stopping: TestCancellation)).AssertSucceeded();
}
