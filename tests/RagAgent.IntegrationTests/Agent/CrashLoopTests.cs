using System.Globalization;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A crash loop costs no more after many restarts than after a few. scripts/soak.sh tests that for an hour.</summary>
public sealed class CrashLoopTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int WarmUpRestarts = 20;
    private const int MeasuredRestarts = 80;

    [Fact]
    public async Task A_crash_loop_leaves_memory_descriptors_and_files_flat()
    {
        ConfigureApp(("FAKE_APP_EXIT_CODE", "3"));
        Config["restart"] = new System.Text.Json.Nodes.JsonObject { ["firstDelay"] = "100ms", ["maxDelay"] = "100ms" };
        await PushAsync();
        var agent = StartAgent();

        await WaitForAsync(s => s.App.Crashes >= WarmUpRestarts, "the first crashes");
        var before = MeasureCost(agent);
        await WaitForAsync(s => s.App.Crashes >= MeasuredRestarts, "many crashes");
        var after = MeasureCost(agent);

        Assert.InRange(after.Descriptors - before.Descriptors, -100, 10);
        Assert.InRange(after.Files, 1, 15);       // the state, and a log cursor for each recent container
        Assert.InRange(after.Bytes, 1, 8_000);
        Assert.InRange(after.Kilobytes - before.Kilobytes, -100_000, 24_000);   // a build that is not native still compiles code meanwhile
        Assert.InRange((after.Lines - before.Lines) / (double)(MeasuredRestarts - WarmUpRestarts), 1, 8);
        Assert.False(agent.HasExited);
    }

    private sealed record Cost(int Descriptors, int Files, long Bytes, long Kilobytes, int Lines);

    private Cost MeasureCost(AgentProcess agent)
    {
        var files = new DirectoryInfo(StateDirectory).EnumerateFiles("*", SearchOption.AllDirectories).ToArray();
        var memory = File.ReadLines($"/proc/{agent.Id}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return new Cost(
            Directory.EnumerateFileSystemEntries($"/proc/{agent.Id}/fd").Count(),
            files.Length,
            files.Sum(file => file.Exists ? file.Length : 0),
            long.Parse(memory.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture),
            agent.Log.Split('\n').Length);
    }
}
