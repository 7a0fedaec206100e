using System.Net;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The agent is killed while the app serves.</summary>
public sealed class CrashTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const int Kills = 50;

    [Fact]
    public async Task Fifty_kills_of_the_agent_never_touch_the_app()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        var key = (await GetAsync("/key-sha256")).Body;

        for (var kill = 1; kill <= Kills; kill++)
        {
            await agent.StopAsync("KILL");
            agent = StartAgent();
            await WaitUntilServingAsync();
            Assert.Equal((HttpStatusCode.OK, key), await GetAsync("/key-sha256"));
        }

        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.Single(await AgentContainersAsync());
    }
}
