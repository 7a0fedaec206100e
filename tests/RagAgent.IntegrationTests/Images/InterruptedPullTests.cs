using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>The agent dies during a pull.</summary>
public sealed class InterruptedPullTests(
    EngineFixture engineFixture, PrivateEngine engine) : ImageTestBase(engineFixture), IClassFixture<PrivateEngine>
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

        // An engine with its own image store drops all layers of a pull whose client is gone, complete or not.
        await WaitUntilAsync(() => Task.FromResult(UnpackedLayers() == 0), "the layers are gone");
        Assert.NotEqual(0, (await engine.Docker.RunAsync("image", "inspect", resolution.Image.ToString())).ExitCode);

        Aws.Faults.Clear();
        StartAgent();
        Assert.Equal(resolution.Image.Digest, (await WaitUntilServingAsync()).App.Digest);

        // There were two pulls, and neither fetched a blob twice.
        Assert.All(Fetched().CountBy(blob => blob), blob => Assert.InRange(blob.Value, 1, 2));
        await engine.Docker.RunCheckedAsync("rm", "--force", Name);
    }

    private int UnpackedLayers()
    {
        var records = Path.Combine(engine.Data, "image/overlay2/layerdb/sha256");
        return Directory.Exists(records) ? Directory.GetDirectories(records).Length : 0;
    }

    /// <summary>Each blob once per download by the engine.</summary>
    private IEnumerable<string> Fetched() =>
        Aws.Requests.ByOperation(Operations.StorageBlob)
            .Where(r => r.Method == "GET" && r.UserAgent.Contains("docker", StringComparison.OrdinalIgnoreCase))
            .Select(r => r.Resource);
}
