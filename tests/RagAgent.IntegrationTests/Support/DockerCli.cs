using System.Text.Json.Nodes;

namespace RagAgent.IntegrationTests.Support;

/// <summary>The docker command, so that tests check the agent's work independently of the agent's own code.</summary>
internal sealed class DockerCli(string host, string config)
{
    public string Host => host;

    public IReadOnlyDictionary<string, string> Environment { get; } =
        new Dictionary<string, string> { ["DOCKER_HOST"] = host, ["DOCKER_CONFIG"] = config, ["DOCKER_BUILDKIT"] = "0" };

    public Task<ProcessResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public Task<ProcessResult> RunWithInputAsync(string input, params string[] arguments) =>
        ProcessRunner.RunAsync("docker", arguments, Environment, input);

    public async Task<string> RunCheckedAsync(params string[] arguments) => (await RunAsync(arguments)).AssertSucceeded();

    /// <summary>The container as <c>docker inspect</c> shows it, or null if there is none with this name.</summary>
    public async Task<JsonNode?> InspectAsync(string container)
    {
        var result = await RunAsync("inspect", "--type", "container", container);
        return result.ExitCode == 0 ? JsonNode.Parse(result.Output)![0] : null;
    }

    /// <summary>When the container was started; every start changes it. Throws if there is no such container.</summary>
    public async Task<string> StartedAtAsync(string container) =>
        await InspectAsync(container) is { } inspected
            ? inspected["State"]!["StartedAt"]!.GetValue<string>()
            : throw new InvalidOperationException($"There is no container {container}.");
}
