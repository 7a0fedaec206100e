using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What the engine and the machine around it can refuse.</summary>
public sealed class EngineFailureTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task An_engine_that_is_not_running_yet_is_reported_and_waited_for()
    {
        var folder = Path.Combine(Folder, "e");
        var socket = Path.Combine(folder, "docker.sock");
        AgentEnvironment["DOCKER_HOST"] = $"unix://{socket}";
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("engine-unreachable");
        Assert.Equal($"Docker Engine is not running: its socket {socket} does not exist.", problem.What);
        Assert.Equal("Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it.", problem.Remedy);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync()).Status);

        try
        {
            (await EngineFixture.RunScriptAsync("scripts/engine.sh", "start", folder)).AssertSucceeded();
            await WaitUntilServingAsync();
        }
        finally
        {
            await EngineFixture.RunScriptAsync("scripts/engine.sh", "stop", folder);
        }
    }

    [Fact]
    public async Task An_engine_socket_without_permission_is_reported_with_the_group_to_join()
    {
        WriteConfig();
        Directory.CreateDirectory(RuntimeDirectory);
        File.SetUnixFileMode(RuntimeDirectory, (UnixFileMode)0b111_111_111);
        StartAgent("setpriv",
        [
            "--reuid=65534", "--regid=65534", "--clear-groups",
            EngineFixture.Binary, "run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory,
        ]);

        var problem = await WaitForProblemAsync("engine-unreachable");
        Assert.EndsWith("docker.sock can't be opened: permission denied.", problem.What, StringComparison.Ordinal);
        Assert.Equal("Run this as root (sudo), or add the user 'nobody' to the group that owns the socket (usually 'docker').", problem.Remedy);
    }

    [Fact]
    public async Task A_taken_front_door_port_is_reported_and_waited_for()
    {
        using var other = new TcpListener(IPAddress.IPv6Any, Port) { Server = { DualMode = true } };
        other.Start();
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("listen-port-taken");
        Assert.Equal($"The front door can't open port {Port}: another program uses it.", problem.What);
        Assert.StartsWith($"Find it with 'ss -ltnp sport = :{Port}' and stop it, or set listen.http", problem.Remedy, StringComparison.Ordinal);
        await WaitUntilServingAsync();

        other.Stop();
        await WaitForAsync(s => s.FrontDoor.Open, "the front door opens");
        await WaitUntilAsync(async () => (await GetAsync()).Status == HttpStatusCode.OK, "clients get the app");
    }

    [Fact]
    public async Task A_foreign_container_with_the_configured_name_is_left_alone()
    {
        await PushAsync("foreign", "foreign");
        await Docker.RunCheckedAsync("pull", "--quiet", $"{Repository}:foreign");
        var foreign = await Docker.RunCheckedAsync("run", "--detach", "--name", Name, $"{Repository}:foreign");
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("container-name-taken");
        Assert.Equal($"The name {Name} is taken by the container {foreign[..12]}, which RagAgent did not create.", failure.Problem.What);
        Assert.StartsWith($"Rename or remove it ('docker rename {Name} other')", failure.Problem.Remedy, StringComparison.Ordinal);
        Assert.Equal("true", await Docker.RunCheckedAsync("inspect", "--format", "{{.State.Running}}", foreign));

        await Docker.RunCheckedAsync("rm", "--force", foreign);
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_volume_that_can_not_be_mounted_is_reported()
    {
        var file = Path.Combine(Folder, "a-file");
        await File.WriteAllTextAsync(file, "", TestCancellation);
        Config["container"]!["volumes"] = new JsonArray(new JsonObject { ["host"] = $"{file}/below", ["container"] = "/app/data/logs" });
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("engine-mount");
        Assert.Equal("Correct container.volumes in the configuration.", failure.Problem.Remedy);
    }

    [Fact]
    public async Task An_image_without_a_shell_gets_its_secrets_only_through_the_environment()
    {
        await PushAsync("1", "latest", "--no-shell");
        var agent = StartAgent();

        var failure = await WaitForFailureAsync("image-without-shell");
        Assert.Equal("The image has no /bin/sh, so secrets can't be passed through memory.", failure.Problem.What);
        await agent.StopAsync();

        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        StartAgent();
        await WaitUntilServingAsync();
    }
}
