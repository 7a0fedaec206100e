using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An agent upon an engine of the test's own, which the test may stop, freeze and kill.</summary>
public abstract class PrivateEngineTestBase(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    /// <summary>An engine that the agent uses; it goes after the agent, also when the test fails.</summary>
    protected async Task<PrivateEngine> StartEngineAsync(params string[] options)
    {
        var engine = DisposeWithTest(await PrivateEngine.StartNewAsync(options));
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        return engine;
    }

    /// <summary>Between the agent and the engine, for what no engine of our own does when it is told to.</summary>
    /// <param name="engine">Its socket.</param>
    /// <param name="answered">Answers a request, or returns false: it is passed on.</param>
    internal async Task<EngineProxy> StartEngineProxyAsync(Uri engine, Func<Microsoft.AspNetCore.Http.HttpContext, Task<bool>> answered)
    {
        var engineProxy = DisposeWithTest(await EngineProxy.StartAsync(Path.Combine(Folder, "front.sock"), engine.LocalPath, answered));
        AgentEnvironment["DOCKER_HOST"] = engineProxy.Socket.OriginalString;
        // The front carries no input that is attached to a container.
        Config["secrets"] = new System.Text.Json.Nodes.JsonObject { ["OPENAI_API_KEY"] = new System.Text.Json.Nodes.JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        return engineProxy;
    }

    /// <summary>Nothing but the agent's own eyes may notice what a test does to the container.</summary>
    protected void ConfigureRareProbes() => Config["health"]!["liveness"]!["interval"] = "1h";

    /// <summary>The app is seen through the door again, by a container that was started since.</summary>
    internal Task WaitUntilServedAgainAsync(DockerCli docker, string startedBefore, string what) => WaitUntilAsync(async () =>
        await docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != startedBefore &&
        (await GetAsync()).Status == System.Net.HttpStatusCode.OK, what);
}
