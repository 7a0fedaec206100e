using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>Pages that say nothing, or end the whole process.</summary>
public sealed class RefusedPageTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private const string EatsMemory =
        """
        import streamlit as st

        st.title("Hungry")
        kept = []
        while True:
            kept.append(b"x" * 2**20)
        """;

    [Fact]
    public async Task Pages_that_hang_exit_or_eat_memory_are_refused_and_not_started_again()
    {
        ConfigureStreamlit();
        Config["health"]!["gate"] = new JsonObject { ["timeout"] = "4s" };
        Config["container"]!["memory"] = "400m";
        ConfigureUpdate("start-first", watch: "1s");
        await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, "good/plain");
        StartAgent();
        await WaitForAsync(s => s.App.State == "serving" && s.Rollout.Phase == "settled", "the first image has passed its watch");
        var eatsMemory = Path.Combine(Folder, "eats_memory.py");
        await File.WriteAllTextAsync(eatsMemory, EatsMemory, TestCancellation);

        // On a busy machine, it gets three sessions over half a minute.
        await AssertRefusedAsync("broken/hangs", "its page fails: it shows nothing within 4s");
        await AssertRefusedAsync("broken/exits", "exited with code 3 when its page was opened");
        // Other programs may have used the memory, so this counts as a crash.
        await AssertRefusedAsync(eatsMemory, "ran out of memory", starts: 3);

        async Task AssertRefusedAsync(string app, string error, int starts = 1)
        {
            await PushStreamlitAsync(StreamlitInstallation.WithUvicorn, app);
            await using var history = await WatchContainersAsync();
            var began = TimeProvider.System.GetTimestamp();

            var update = await UpdateAsync();

            Assert.Equal(1, update.ExitCode);
            Assert.Contains(error, update.Error, StringComparison.Ordinal);
            var status = await WaitForAsync(
                s => s.Rollout is { SetAside: { } refused, Candidate: null } && refused.Why.What.Contains(error, StringComparison.Ordinal),
                $"{app} is set aside");
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{Path.GetFileName(app)}: refused {TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1} s after the request");
            Assert.Equal("serving", status.App.State);
            Assert.Equal(starts, history.StartsOf(status.Rollout.SetAside!.Digest));
        }
    }
}
