using System.Diagnostics;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Images;

/// <summary>Two minutes of real time, beside the other tests: no client's own default may end a pull.</summary>
public sealed class LongPullTests(Bench bench) : ImageTest(bench)
{
    [Fact]
    public async Task An_engine_that_says_nothing_for_a_minute_and_a_pull_that_takes_more_than_100_seconds_are_waited_for()
    {
        var resolution = await PushedAsync("1", "--ballast", "3m");
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Throttle(64 * 1024), method: "GET");
        await using var slow = new SlowEngine(Path.Combine(Folder, "slow.sock"), BenchEngine.LocalPath, "/images/create", TimeSpan.FromSeconds(61));
        using var room = Room(new Uri($"unix://{slow.Path}"));

        var watch = Stopwatch.StartNew();
        Assert.Equal(resolution.Image.Digest, (await room.EnsureAsync(resolution)).Digest);

        Assert.True(slow.Reached.IsCompletedSuccessfully);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(100), TimeSpan.FromMinutes(10));
        Assert.NotEmpty(room.Progress);
    }
}
