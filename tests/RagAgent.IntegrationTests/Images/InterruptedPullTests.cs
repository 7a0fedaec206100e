using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>The agent dies while the engine pulls for it.</summary>
public sealed class InterruptedPullTests(EngineFixture engineFixture, PrivateEngine engine) : ImageTestBase(engineFixture), IClassFixture<PrivateEngine>
{
    [Fact]
    public async Task A_pull_interrupted_by_the_agents_death_is_finished_by_the_next_agent()
    {
        var resolution = await PushAndResolveAsync("1", "--ballast", "60m");
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Throttle(2_000_000), method: "GET");
        var first = StartAgent();
        await WaitUntilAsync(() => Task.FromResult(UnpackedLayers() > 0), "the lowest layer, a small one, is complete");
        await first.StopAsync("KILL");

        // An engine with its own image store drops the layers of a pull that nobody waits for, complete or not: nothing half done is left.
        await WaitUntilAsync(() => Task.FromResult(UnpackedLayers() == 0), "the layers are gone");
        Assert.NotEqual(0, (await engine.Docker.RunAsync("image", "inspect", resolution.Image.ToString())).ExitCode);

        Aws.Faults.Clear();
        StartAgent();
        Assert.Equal(resolution.Image.Digest, (await WaitUntilServingAsync()).App.Digest);

        // Begun twice, and in neither pull was anything fetched twice.
        Assert.All(Fetched().CountBy(blob => blob), blob => Assert.InRange(blob.Value, 1, 2));
        await engine.Docker.DoAsync("rm", "--force", Name);
    }

    private int UnpackedLayers()
    {
        var records = Path.Combine(engine.Data, "image/overlay2/layerdb/sha256");
        return Directory.Exists(records) ? Directory.GetDirectories(records).Length : 0;
    }

    /// <summary>Each blob as often as the engine asked for its bytes.</summary>
    private IEnumerable<string> Fetched() =>
        Aws.Requests.ByOperation(Operations.StorageBlob).Where(r => r.Method == "GET" && r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase)).Select(r => r.Resource);
}
