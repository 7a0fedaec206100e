using RagAgent.Control;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What the agent itself lacks is not held against the app.</summary>
public sealed class AgentResourceLimitTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int Probes = 10;

    [Fact]
    public async Task An_agent_that_can_open_nothing_does_not_restart_the_app_and_says_once_that_it_could_not_ask()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        // Its connection is open before: nobody can make a new one now.
        using var client = new ControlClient(RuntimeDirectory);
        var before = await client.StatusAsync(null, TestCancellation);

        var enough = await LimitAsync(agent, "--nofile", "--output", "SOFT", "--noheadings", "--raw");
        await LimitAsync(agent, "--nofile=1:");
        // A probe is two revisions: it is begun, and something comes of it.
        var status = before;
        while (status.Revision < before.Revision + (2 * Probes))
        {
            status = await client.StatusAsync(status.Revision, TestCancellation);
        }
        Assert.Equal("serving", status.App.State);
        Assert.Null(status.LastFailure);
        await LimitAsync(agent, $"--nofile={enough}:");

        var after = await WaitForAsync(s => s.App.State == "serving" && s.Engine.Answers, "it goes on as before");
        Assert.Null(after.LastFailure);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        await agent.WaitForLogAsync("Can't send a probe");
        var told = Assert.Single(agent.Log.Split('\n'), line => line.Contains("Can't send a probe", StringComparison.Ordinal));
        Assert.Contains("no file descriptor is free", told, StringComparison.Ordinal);
    }

    private static async Task<string> LimitAsync(AgentProcess agent, params string[] arguments) =>
        (await ProcessRunner.RunAsync("prlimit", ["--pid", $"{agent.Id}", .. arguments], stopping: TestCancellation)).AssertSucceeded();
}
