using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What ECR and a pull can refuse.</summary>
public sealed class RegistryFailureTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task A_denied_registry_token_is_reported_with_the_permission()
    {
        Aws.Faults.Add(Operations.GetAuthorizationToken, new Fault.Error("AccessDeniedException"));
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("aws-denied");
        Assert.StartsWith("AWS denied the request to issue a registry token: User: arn:aws:sts::123456789012:assumed-role/", problem.What, StringComparison.Ordinal);
        Assert.Equal("Allow the instance role ecr:GetAuthorizationToken on '*'. No restart is needed.", problem.Remedy);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_denied_pull_is_reported_with_the_permission()
    {
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryManifest, new Fault.Error("DENIED"));
        StartAgent();

        var problem = await WaitForProblemAsync("registry-denied");
        Assert.StartsWith($"The instance role may not pull {Repository}:latest: ", problem.What, StringComparison.Ordinal);
        Assert.Contains(
            "is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/ragstream-web",
            problem.What,
            StringComparison.Ordinal);
        Assert.StartsWith("Allow the role ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on this repository", problem.Remedy, StringComparison.Ordinal);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task An_expired_registry_token_is_renewed_once_without_a_failure()
    {
        await PushAsync("1");
        StartAgent();
        await WaitUntilServingAsync();
        var tokens = Aws.Requests.Count(Operations.GetAuthorizationToken);
        await PushAsync("2");
        Aws.RegistryTokens.ExpireAll();

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("2", await ServedVersionAsync());
        Assert.Equal(tokens + 1, Aws.Requests.Count(Operations.GetAuthorizationToken));
    }

    [Fact]
    public async Task A_registry_token_that_is_refused_after_renewal_is_reported()
    {
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryManifest, new Fault.Error("DENIED", "Your authorization token has expired. Reauthenticate and try again."));
        StartAgent();

        var problem = await WaitForProblemAsync("registry-token-refused");
        Assert.Contains("Your authorization token has expired", problem.What, StringComparison.Ordinal);
        Assert.StartsWith("A new token was also refused: check the machine's clock", problem.Remedy, StringComparison.Ordinal);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_missing_repository_is_reported_and_waited_for()
    {
        StartAgent();

        var problem = await WaitForProblemAsync("registry-repository-missing");
        Assert.Equal($"The repository of {Repository}:latest does not exist: name unknown: " +
            "The repository with name 'ragstream-web' does not exist in the registry with id '123456789012'.", problem.What);

        await PushAsync();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_missing_tag_is_reported_and_waited_for()
    {
        await PushAsync("1", "other");
        StartAgent();

        var problem = await WaitForProblemAsync("registry-tag-missing");
        Assert.Equal($"{Repository}:latest does not exist: the repository has no such tag.", problem.What);

        await PushAsync("2");
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task An_image_for_another_platform_is_reported_before_pulling()
    {
        await PushAsync("1", "latest", "--platform", "linux/arm64");
        StartAgent();

        var problem = await WaitForProblemAsync("image-platform");
        Assert.Equal($"{Repository}:latest was built for linux/arm64, but this machine is linux/amd64.", problem.What);
        Assert.StartsWith("Build it with 'docker build --platform linux/amd64'", problem.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Aws.Requests.ByOperation(Operations.StorageBlob), r => r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase));

        await PushAsync("2");
        await WaitForAsync(s => s.App.State == "serving", "the image for this platform serves");
    }

    [Fact]
    public async Task An_index_without_an_image_for_this_platform_is_reported()
    {
        await PushAsync("arm", "arm64", "--platform", "linux/arm64");
        await OciIndexPublisher.PushAsync(Http, Aws, "ragstream-web", "latest", [("arm64", "arm64")], TestCancellation);
        StartAgent();

        var problem = await WaitForProblemAsync("image-platform");
        Assert.Equal($"{Repository}:latest was built for linux/arm64, but this machine is linux/amd64.", problem.What);
    }

    [Fact]
    public async Task A_layer_that_breaks_off_during_a_pull_is_a_failure()
    {
        await PushAsync("1", "latest", "--ballast", "3m");
        // The engine has already answered 200 and is streaming when a layer breaks off.
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Cut(100_000), method: "GET");
        StartAgent();

        var status = await WaitForAsync(s => s.Problems.Count > 0, "the failure of the pull is reported");
        Assert.Equal("absent", status.App.State);
        Assert.StartsWith($"Could not get {Repository}:latest", status.Problems[0].What, StringComparison.Ordinal);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task When_the_layers_host_cannot_be_reached_it_is_named_and_the_registry_is_not_blamed()
    {
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Cut(), method: "GET");   // applies where the redirect leads
        StartAgent();

        var problem = await WaitForProblemAsync("registry-storage-unreachable");
        Assert.Contains($"The registry {Aws.RegistryHost} itself answers.", problem.What, StringComparison.Ordinal);
        Assert.Contains("a gateway endpoint for S3", problem.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Amz", problem.What, StringComparison.Ordinal);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_rollback_succeeds_while_neither_registry_nor_Parameter_Store_answers()
    {
        ConfigureUpdate("auto", "1s");
        await ServeGoodAsync("old");
        await PushAsync("new");
        (await UpdateAsync()).AssertSucceeded();
        await WaitForAsync(s => s.Rollout.Phase == "settled", "the new image has passed its watch");
        foreach (var operation in new[] { Operations.GetAuthorizationToken, Operations.RegistryAny, Operations.GetParameter })
        {
            Aws.Faults.Add(operation, new Fault.Cut());
        }

        (await RequestAsync("rollback")).AssertSucceeded();

        Assert.Equal("old", await ServedVersionAsync());
    }

    [Fact]
    public async Task An_image_on_trial_whose_container_is_gone_serves_from_disk_while_the_registry_is_down()
    {
        await PushAsync();
        StartAgent();
        await WaitForAsync(s => s is { App.State: "serving", Rollout.Phase: "watch" }, "the image is on trial");
        await RebootAsync();
        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());

        StartAgent();

        Assert.Null((await WaitUntilServingAsync()).App.Newest);
    }

    [Fact]
    public async Task A_registry_that_does_not_allow_HEAD_is_asked_with_GET()
    {
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryManifest, new Fault.Error("UNSUPPORTED"), method: "HEAD");
        StartAgent();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task An_unreachable_registry_at_boot_does_not_keep_the_image_on_disk_from_serving()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        await first.StopAsync();
        await Docker.RunCheckedAsync("stop", Name);   // as after a reboot: the container exists, but does not run

        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());
        var second = StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Contains("registry-unreachable", status.Problems.Select(p => p.Code));
        Assert.Null(status.App.Newest);
        await second.WaitForLogAsync("from the image on disk");
    }
}
