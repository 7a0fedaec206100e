using System.Globalization;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Apps that send too much when the gate opens their page.</summary>
public sealed class EndlessSessionTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    // Far below what is sent. Before its first collection, the garbage collector alone takes about as much as the processor's cache has.
    private const int MaxGrowth = 64_000_000;

    [Theory]
    [InlineData("large", "3s", null)]
    [InlineData("elements", "3s", null)]
    [InlineData("fragments", "3s", "it shows nothing within 3s")]
    [InlineData("frame", "60s", "it shows nothing within the first 512 MB that it sends")]
    public async Task Whatever_a_session_sends_the_agent_stays_small_and_comes_to_a_verdict(string sent, string timeout, string? failure)
    {
        // The delay is for the measurement.
        ConfigureApp(("FAKE_APP_SESSION", sent), ("FAKE_APP_START_AFTER", "1"));
        Config["health"]!["gate"] = new JsonObject { ["timeout"] = timeout };
        await PushFullAsync("1");
        await using var history = await WatchContainersAsync();
        var agent = StartAgent();
        var started = await WaitForAsync(s => s.App.Container is not null, "the container runs");
        var before = PeakMemory(agent);

        if (failure is null)
        {
            Assert.Equal("works", (await WaitUntilServingAsync()).App.Session);
        }
        else
        {
            Assert.Contains($"its page fails: {failure}.", (await WaitForProblemAsync("app-session-failed")).What, StringComparison.Ordinal);
        }

        var growth = PeakMemory(agent) - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent}: {before / 1_000_000} MB, then {growth / 1_000_000} MB more");
        Assert.InRange(growth, 0, MaxGrowth);
        Assert.Equal(1, history.StartsOf(started.App.Digest!));
    }

    private static long PeakMemory(AgentProcess agent)
    {
        var line = File.ReadLines($"/proc/{agent.Id}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
