using System.Diagnostics;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>Takes two minutes of real time, to show that no client's default timeout ends a pull.</summary>
public sealed class LongPullTests(EngineFixture engineFixture) : ImageTestBase(engineFixture)
{
    [Fact]
    public async Task A_pull_outlasts_a_minute_of_silence_and_100_seconds_in_total()
    {
        var resolution = await PushAndResolveAsync("1", "--ballast", "3m");
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Throttle(64 * 1024), method: "GET");
        await using var slow = new DelayingEngineProxy(
            Path.Combine(Folder, "slow.sock"), SharedEngine.LocalPath, "/images/create", TimeSpan.FromSeconds(61));
        using var imageStack = CreateImageStack(new Uri($"unix://{slow.Path}"));

        var watch = Stopwatch.StartNew();
        Assert.Equal(resolution.Image.Digest, (await imageStack.EnsureAsync(resolution)).Digest);

        Assert.True(slow.Reached.IsCompletedSuccessfully);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(100), TimeSpan.FromMinutes(10));
        Assert.NotEmpty(imageStack.Progress);
    }
}
