using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The newest image has a corrupt layer when the agent starts, as after a power cut.</summary>
public sealed class CorruptImageTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task A_corrupt_image_is_pulled_again_and_serves()
    {
        var (engine, image) = await LeaveCorruptImageAsync();
        Aws.Requests.Clear();

        StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Equal(image, $"{Repository}@{status.App.Digest}");
        Assert.NotEmpty(Aws.Requests.ByOperation(Operations.StorageBlob));
        Assert.Single(await ContainersAsync(engine.Docker));
        Assert.Null(status.Rollout.SetAside);
    }

    [Fact]
    public async Task A_corrupt_image_is_kept_and_reported_while_the_registry_is_unreachable()
    {
        var (engine, image) = await LeaveCorruptImageAsync();
        Aws.Faults.Add(Operations.RegistryAny, new Fault.Cut());

        StartAgent();
        await WaitForFailureAsync("image-corrupt");
        await WaitForProblemAsync("registry-unreachable");
        await engine.Docker.RunCheckedAsync("image", "inspect", image);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
        Assert.Single(await ContainersAsync(engine.Docker));
    }

    [Fact]
    public async Task A_registry_lost_right_after_the_lookup_does_not_cost_the_corrupt_image_on_disk()
    {
        var (engine, image) = await LeaveCorruptImageAsync();
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Cut());
        Aws.Faults.Add(Operations.StorageBlob, new Fault.Cut());

        StartAgent();
        await WaitForFailureAsync("image-corrupt");
        await WaitForAsync(
            s => s.Problems.Any(p => p.Code.StartsWith("registry", StringComparison.Ordinal)), "the registry's failure is reported");
        await engine.Docker.RunCheckedAsync("image", "inspect", image);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    private async Task<(PrivateEngine Engine, string Image)> LeaveCorruptImageAsync()
    {
        var engine = await StartEngineAsync();
        await PushAsync();
        var before = StartAgent();
        var image = $"{Repository}@{(await WaitUntilServingAsync()).App.Digest}";
        await before.StopAsync();
        await engine.Docker.RunCheckedAsync("kill", Name);   // its remains show the next agent which image ran
        (await EngineLayer.ListAsync(engine, image))[^1].Corrupt("its short name");
        return (engine, image);
    }
}
