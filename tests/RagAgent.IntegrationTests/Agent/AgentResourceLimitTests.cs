using RagAgent.Control;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A shortage of the agent's own resources does not count against the app.</summary>
public sealed class AgentResourceLimitTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int Probes = 10;

    [Fact]
    public async Task An_agent_without_file_descriptors_logs_once_and_does_not_restart_the_app()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        // Opened before the limit, because no new connection is possible afterwards.
        using var client = new ControlClient(RuntimeDirectory);
        var before = await client.StatusAsync(null, TestCancellation);

        var previousLimit = await LimitAsync(agent, "--nofile", "--output", "SOFT", "--noheadings", "--raw");
        await LimitAsync(agent, "--nofile=1:");
        // A probe makes two revisions: one when it starts, one when it ends.
        var status = before;
        while (status.Revision < before.Revision + (2 * Probes))
        {
            status = await client.StatusAsync(status.Revision, TestCancellation);
        }
        Assert.Equal("serving", status.App.State);
        Assert.Null(status.LastFailure);
        await LimitAsync(agent, $"--nofile={previousLimit}:");

        var after = await WaitForAsync(s => s.App.State == "serving" && s.Engine.Answers, "the agent works as before");
        Assert.Null(after.LastFailure);
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        await agent.WaitForLogAsync("Can't send a probe");
        var line = Assert.Single(agent.Log.Split('\n'), entry => entry.Contains("Can't send a probe", StringComparison.Ordinal));
        Assert.Contains("no file descriptor is free", line, StringComparison.Ordinal);
    }

    private static async Task<string> LimitAsync(AgentProcess agent, params string[] arguments) =>
        (await ProcessRunner.RunAsync("prlimit", ["--pid", $"{agent.Id}", .. arguments], stopping: TestCancellation)).AssertSucceeded();
}
