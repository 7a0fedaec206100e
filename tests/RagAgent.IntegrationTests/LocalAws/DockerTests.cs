using Xunit;

namespace RagAgent.IntegrationTests.AwsBench;

/// <summary>A real Docker Engine logs in, pushes, pulls, and shows its user ECR's words.</summary>
public class DockerTests : AwsTest
{
    [Fact]
    public async Task Docker_logs_in_pushes_pulls_and_repeats_what_ECR_says()
    {
        var image = SampleImage.Create(fileSize: 500_000);
        await image.PushAsync(Aws, Http, "app", "latest", Stopping);
        await using var engine = await PrivateDockerd.StartAsync(Stopping);
        async Task<ToolResult> Docker(params string[] arguments) => await engine.DockerAsync(arguments, stopping: Stopping);
        var name = $"{Aws.RegistryHost}/app";

        var anonymous = (await Docker("pull", $"{name}:latest")).FailedWith();
        Assert.Contains("no basic auth credentials", anonymous, StringComparison.Ordinal);

        var token = await new EcrClient(Aws).TokenAsync(StaticKeyId, StaticSecret, Stopping);
        (await engine.DockerAsync(["login", "--username", "AWS", "--password-stdin", Aws.RegistryHost], token, Stopping)).Succeeded();
        (await Docker("pull", $"{name}:latest")).Succeeded();
        Assert.Equal($"{name}@{image.Digest}", (await Docker("inspect", "--format", "{{index .RepoDigests 0}}", $"{name}:latest")).Succeeded());
        Assert.Equal(2, Aws.Requests.ByOperation("registry:blob").Count(r => r is { Method: "GET", Status: 307 }));

        Aws.Requests.Clear();
        (await Docker("tag", $"{name}:latest", $"{Aws.RegistryHost}/team/other:v1")).Succeeded();
        (await Docker("push", $"{Aws.RegistryHost}/team/other:v1")).Succeeded();
        Assert.Contains("team/other", Aws.Repositories.Names);
        Assert.DoesNotContain(Aws.Requests.ByOperation("registry:blob"), r => r.Method == "GET");

        Assert.Contains("Requested image not found", (await Docker("pull", $"{name}:nope")).FailedWith(), StringComparison.Ordinal);
        Assert.Contains("The repository with name 'nope' does not exist in the registry with id '123456789012'",
            (await Docker("pull", $"{Aws.RegistryHost}/nope:latest")).FailedWith(), StringComparison.Ordinal);

        Aws.RegistryTokens.ExpireAll();
        Assert.Contains("Your authorization token has expired. Reauthenticate and try again.",
            (await Docker("pull", $"{name}:latest")).FailedWith(), StringComparison.Ordinal);
    }
}
