using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An agent on a private engine, which the test may stop, freeze and kill.</summary>
public abstract class PrivateEngineTestBase(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    /// <summary>Starts a private engine for the agent. It is disposed after the agent, even if the test fails.</summary>
    protected async Task<PrivateEngine> StartEngineAsync(params string[] options)
    {
        var engine = DisposeWithTest(await PrivateEngine.StartNewAsync(options));
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        return engine;
    }

    /// <summary>Puts a proxy between agent and engine, for behavior that a real engine doesn't show on demand.</summary>
    /// <param name="engine">The URI of the engine's socket.</param>
    /// <param name="intercept">Answers a request, or returns false to pass it on.</param>
    internal async Task<EngineProxy> StartEngineProxyAsync(Uri engine, Func<Microsoft.AspNetCore.Http.HttpContext, Task<bool>> intercept)
    {
        var engineProxy = DisposeWithTest(await EngineProxy.StartAsync(Path.Combine(Folder, "proxy.sock"), engine.LocalPath, intercept));
        AgentEnvironment["DOCKER_HOST"] = engineProxy.Socket.OriginalString;
        // The proxy can't carry the standard input of a container, so secrets go through the environment.
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        return engineProxy;
    }

    /// <summary>Makes probes so rare that the agent can notice a change to the container only through the engine.</summary>
    protected void ConfigureRareProbes() => Config["health"]!["liveness"]!["interval"] = "1h";

    /// <summary>Waits until a container started after <paramref name="startedBefore"/> serves through the front door.</summary>
    internal Task WaitUntilServedAgainAsync(DockerCli docker, string startedBefore, string what) => WaitUntilAsync(async () =>
        await docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != startedBefore &&
        (await GetAsync()).Status == System.Net.HttpStatusCode.OK, what);
}
