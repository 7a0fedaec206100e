using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A state directory that can't be written to does not keep the app from serving.</summary>
public sealed class StateDirectoryTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Theory]
    [InlineData("read-only", "its file system is read-only")]
    [InlineData("full", "the disk is full")]
    public async Task An_unwritable_state_directory_is_reported_once_and_written_to_when_possible(string how, string why)
    {
        Directory.CreateDirectory(StateDirectory);
        (await ProcessRunner.RunAsync(
            "mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", StateDirectory], stopping: TestCancellation)).AssertSucceeded();
        DisposeWithTest(new Mount(StateDirectory));
        var rest = Path.Combine(StateDirectory, "rest");
        if (how == "full")
        {
            await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(rest, new byte[128 << 10], TestCancellation));
        }
        else
        {
            (await ProcessRunner.RunAsync("mount", ["-o", "remount,ro", StateDirectory], stopping: TestCancellation)).AssertSucceeded();
        }
        await PushAsync();
        var agent = StartAgent();

        await WaitUntilServingAsync();
        Assert.Equal("1", await ServedVersionAsync());
        var problem = await WaitForProblemAsync("state-unwritable");
        Assert.Equal($"The persisted state {StateDirectory}/state.json can't be written: {why}.", problem.What);
        for (var tries = 0; tries < 3; tries++)
        {
            var before = problem.NextTry;
            bool IsLater(DateTimeOffset? next) => next is not null && (before is null || next > before.Value.AddMilliseconds(500));
            var status = await WaitForAsync(
                s => s.Problems.Any(p => p.Code == "state-unwritable" && IsLater(p.NextTry)), "the next try is scheduled");
            problem = status.Problems.First(p => p.Code == "state-unwritable");
        }
        await agent.WaitForLogAsync("state.json");
        Assert.Single(agent.Log.Split('\n'), line => line.Contains("state.json", StringComparison.Ordinal));

        if (how == "full")
        {
            File.Delete(rest);
        }
        else
        {
            (await ProcessRunner.RunAsync("mount", ["-o", "remount,rw", StateDirectory], stopping: TestCancellation)).AssertSucceeded();
        }
        await WaitForAsync(s => s.Problems.Count == 0, "the state is written");
        Assert.True(File.Exists(Path.Combine(StateDirectory, "state.json")));
        Assert.Null((await WaitUntilServingAsync()).LastFailure);
    }

    private sealed class Mount(string path) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync("umount", ["--lazy", path]);
    }
}
