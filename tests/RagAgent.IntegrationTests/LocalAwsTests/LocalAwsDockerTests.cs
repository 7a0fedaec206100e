using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>A real Docker Engine as a client of LocalAws's registry.</summary>
public class LocalAwsDockerTests : LocalAwsTestBase
{
    [Fact]
    public async Task Docker_logs_in_pushes_pulls_and_shows_ECRs_error_messages()
    {
        var image = TestImage.Create(fileSize: 500_000);
        await image.PushAsync(Aws, Http, "app", "latest", TestCancellation);
        await using var engine = await BareEngine.StartAsync(TestCancellation);
        async Task<ProcessResult> Docker(params string[] arguments) => await engine.DockerAsync(arguments, stopping: TestCancellation);
        var name = $"{Aws.RegistryHost}/app";

        var anonymous = (await Docker("pull", $"{name}:latest")).AssertFailed();
        Assert.Contains("no basic auth credentials", anonymous, StringComparison.Ordinal);

        var token = await new EcrClient(Aws).TokenAsync(StaticKeyId, StaticSecret, TestCancellation);
        (await engine.DockerAsync(
            ["login", "--username", "AWS", "--password-stdin", Aws.RegistryHost], token, TestCancellation)).AssertSucceeded();
        (await Docker("pull", $"{name}:latest")).AssertSucceeded();
        Assert.Equal(
            $"{name}@{image.Digest}",
            (await Docker("inspect", "--format", "{{index .RepoDigests 0}}", $"{name}:latest")).AssertSucceeded());
        Assert.Equal(2, Aws.Requests.ByOperation("registry:blob").Count(r => r is { Method: "GET", Status: 307 }));

        Aws.Requests.Clear();
        (await Docker("tag", $"{name}:latest", $"{Aws.RegistryHost}/team/other:v1")).AssertSucceeded();
        (await Docker("push", $"{Aws.RegistryHost}/team/other:v1")).AssertSucceeded();
        Assert.Contains("team/other", Aws.Repositories.Names);
        Assert.DoesNotContain(Aws.Requests.ByOperation("registry:blob"), r => r.Method == "GET");

        Assert.Contains("Requested image not found", (await Docker("pull", $"{name}:nope")).AssertFailed(), StringComparison.Ordinal);
        Assert.Contains("The repository with name 'nope' does not exist in the registry with id '123456789012'",
            (await Docker("pull", $"{Aws.RegistryHost}/nope:latest")).AssertFailed(), StringComparison.Ordinal);

        Aws.RegistryTokens.ExpireAll();
        Assert.Contains("Your authorization token has expired. Reauthenticate and try again.",
            (await Docker("pull", $"{name}:latest")).AssertFailed(), StringComparison.Ordinal);
    }
}
