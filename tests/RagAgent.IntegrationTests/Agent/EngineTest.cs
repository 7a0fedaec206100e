using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An agent upon an engine of the test's own, which the test may stop, freeze and kill.</summary>
public abstract class EngineTest(Bench bench) : AgentTest(bench)
{
    /// <summary>An engine that the agent uses; it goes after the agent, also when the test fails.</summary>
    protected async Task<PrivateEngine> EngineAsync(params string[] options)
    {
        var engine = Own(await PrivateEngine.StartedAsync(options));
        AgentEnvironment["DOCKER_HOST"] = engine.Docker.Host;
        return engine;
    }

    /// <summary>Between the agent and the engine, for what no engine of our own does when it is told to.</summary>
    /// <param name="engine">Its socket.</param>
    /// <param name="answered">Answers a request, or returns false: it is passed on.</param>
    internal async Task<EngineFront> FrontAsync(Uri engine, Func<Microsoft.AspNetCore.Http.HttpContext, Task<bool>> answered)
    {
        var front = Own(await EngineFront.StartAsync(Path.Combine(Folder, "front.sock"), engine.LocalPath, answered));
        AgentEnvironment["DOCKER_HOST"] = front.Socket.OriginalString;
        // The front carries no input that is attached to a container.
        Config["secrets"] = new System.Text.Json.Nodes.JsonObject { ["OPENAI_API_KEY"] = new System.Text.Json.Nodes.JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        return front;
    }

    /// <summary>Nothing but the agent's own eyes may notice what a test does to the container.</summary>
    protected void ProbesAreRare() => Config["health"]!["liveness"]!["interval"] = "1h";

    /// <summary>The app is seen through the door again, by a container that was started since.</summary>
    internal Task ServedAgainAsync(DockerCli docker, string startedBefore, string what) => EventuallyAsync(async () =>
        await docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != startedBefore &&
        (await VisitAsync()).Status == System.Net.HttpStatusCode.OK, what);
}
