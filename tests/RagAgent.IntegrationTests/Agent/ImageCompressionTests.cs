using LocalAws.Requests;
using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Images in OCI's format, with layers that an engine may be too old for.</summary>
public sealed class ImageCompressionTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task Zstd_that_the_engine_is_too_old_for_is_told_before_anything_is_fetched_and_gzip_serves()
    {
        // The engine behind it may be a newer one: it is asked in its own version's name.
        var real = (await Docker.DoAsync("version", "--format", "{{.Server.APIVersion}}")).Trim();
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            var path = context.Request.Path.Value!;
            if (path.EndsWith("/version", StringComparison.Ordinal))
            {
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync("""{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"}""", TestCancellation);
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
        Assert.DoesNotContain(Aws.Requests.ByOperation(Operations.StorageBlob), r => r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase));

        await CopyAsync("gzip");
        await WaitForAsync(s => s.App.State == "serving", "the image that can be unpacked serves");
    }

    /// <summary>The tag <c>docker</c> as <c>latest</c>, in OCI's format.</summary>
    // By way of a folder: a registry that has the layers already is not sent them again in another compression.
    private async Task CopyAsync(string compression)
    {
        var folder = $"oci:{Path.Combine(Folder, compression)}:image";
        var (user, password) = Aws.DockerLogin;
        (await ProcessRunner.RunAsync("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", "--src-creds", $"{user}:{password}",
            "--format", "oci", "--dest-compress", "--dest-compress-format", compression, $"docker://{Repository}:docker", folder], stopping: TestCancellation)).AssertSucceeded();
        (await ProcessRunner.RunAsync("skopeo", ["copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds", $"{user}:{password}", folder, $"docker://{Repository}:latest"], stopping: TestCancellation)).AssertSucceeded();
    }
}
