using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The doctor, on a developer's machine with and without an agent that runs, and with one thing after another that is not right.</summary>
public sealed class DoctorTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task Without_an_agent_all_that_it_needs_is_checked_and_nothing_is_touched()
    {
        await PushAsync();

        var (exit, found) = await RunDoctorAsync();

        Assert.Equal(("ok", "skipped"), (found["config"].Finding, found["app"].Finding));
        Assert.All(new[] { "engine", "port", "instance", "endpoints", "credentials", "secrets", "registry", "disk" }, check => Assert.Equal((check, "ok"), (check, found[check].Finding)));
        Assert.NotEqual("failed", found["service"].Finding);
        Assert.Equal(0, exit);
        Assert.Empty(await ContainersAsync(Docker));
        Assert.DoesNotContain(Repository, (await Docker.RunAsync("images")).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(StateDirectory));
    }

    [Fact]
    public async Task Beside_an_agent_that_runs_it_says_what_that_says()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        var (exit, found) = await RunDoctorAsync();

        Assert.Equal(0, exit);
        Assert.StartsWith("The app serves (sha256:", found["app"].What, StringComparison.Ordinal);
        Assert.Equal($"Visitors come in at port {Port}.", found["port"].What);
        Assert.StartsWith("The newest image is on disk;", found["disk"].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_changed_since_the_agent_read_it_is_told_as_such()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        Assert.Equal("ok", (await RunDoctorAsync()).Found["config"].Finding);

        Config["access"] = new JsonObject { ["networks"] = new JsonArray("192.0.2.1") };
        var (exit, found) = await RunDoctorAsync();

        Assert.Equal((2, "warning", "systemctl reload ragagent"), (exit, found["config"].Finding, found["config"].Remedy));
        Assert.Contains("but the running agent uses an older version of it", found["config"].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_role()
    {
        Aws.Instance = Aws.Instance with { RoleName = null };
        var (exit, found) = await RunDoctorAsync();
        Assert.Equal((1, "imds-no-role"), (exit, found["credentials"].Code));
        Assert.Equal("Not known, for the reason that credentials has.", found["secrets"].What);
        Assert.Equal("Not known, for the reason that credentials has.", found["registry"].What);
    }

    [Fact]
    public async Task A_parameter_that_is_missing_and_one_that_is_denied()
    {
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = "/nope" };
        Assert.Equal("ssm-parameter-missing", (await RunDoctorAsync()).Found["secrets"].Code);
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = Parameter };
        Aws.Faults.Add(Operations.GetParameter, new Fault.Error("AccessDeniedException"));
        var denied = (await RunDoctorAsync()).Found["secrets"];
        Assert.Equal("aws-denied", denied.Code);
        Assert.Contains("ssm:GetParameter", denied.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repository_that_is_missing_a_pull_that_is_denied_and_layers_that_may_not_be_fetched()
    {
        Assert.Equal("registry-repository-missing", (await RunDoctorAsync()).Found["registry"].Code);
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Error("DENIED"));
        Assert.Equal("registry-denied", (await RunDoctorAsync()).Found["registry"].Code);
        Aws.Faults.Clear();
        Aws.Faults.Add(Operations.GetAuthorizationToken, new Fault.Error("AccessDeniedException"));
        var denied = (await RunDoctorAsync()).Found["registry"];
        Assert.Equal(("aws-denied", "Allow ecr:GetAuthorizationToken on '*' to the instance role; no restart is needed."), (denied.Code, denied.Remedy));
    }

    [Fact]
    public async Task A_port_that_is_taken_and_an_engine_that_is_away()
    {
        var other = new TcpListener(IPAddress.IPv6Any, Port) { Server = { DualMode = true } };
        other.Start();
        AgentEnvironment["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
        var (exit, found) = await RunDoctorAsync();
        other.Stop();
        Assert.Equal((1, "listen-port-taken", "engine-unreachable"), (exit, found["port"].Code, found["engine"].Code));
    }

    [Fact]
    public async Task A_configuration_that_can_not_be_used()
    {
        Config["imag"] = "x";
        var (exit, found) = await RunDoctorAsync();
        Assert.Equal(1, exit);
        Assert.Equal(["config"], found.Keys);
        Assert.Contains("unknown key; did you mean 'image'?", found["config"].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_developers_machine_without_any_of_it()
    {
        AgentEnvironment.Clear();
        AgentEnvironment["AWS_EC2_METADATA_DISABLED"] = "true";
        AgentEnvironment["DOCKER_HOST"] = Docker.Host;
        AgentEnvironment["AWS_REGION"] = "eu-central-1";
        AgentEnvironment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
        var (exit, found) = await RunDoctorAsync();
        Assert.Equal(1, exit);
        Assert.Equal("skipped", found["instance"].Finding);
        Assert.Equal(("failed", "ecr-unreachable"), (found["endpoints"].Finding, found["endpoints"].Code));
        Assert.Equal("failed", found["credentials"].Finding);
        Assert.NotNull(found["credentials"].Remedy);
    }

    [Fact]
    public async Task A_bundle_for_support_has_what_helps_and_not_the_key()
    {
        ConfigureApp(("DATABASE_PASSWORD", "hunter2-hunter2"));
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var bundle = Path.Combine(Folder, "bundle.tar.gz");

        Assert.Contains("Wrote ", (await RunCommandAsync(["support", "--output", bundle, .. DirectoryArguments])).AssertSucceeded(), StringComparison.Ordinal);
        Assert.Equal(1, (await RunCommandAsync(["support", "--output", bundle, .. DirectoryArguments])).ExitCode);   // it never overwrites

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bundle));
        var text = (await ProcessRunner.RunAsync("tar", ["--extract", "--gzip", "--to-stdout", "--file", bundle], stopping: TestCancellation)).AssertSucceeded();
        Assert.Contains("OPENAI_API_KEY (version 1 of parameter", text, StringComparison.Ordinal);
        Assert.Contains("\"DATABASE_PASSWORD\": \"***\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, text, StringComparison.Ordinal);
    }

    private string[] DirectoryArguments => ["--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory];

    private async Task<(int ExitCode, Dictionary<string, (string Finding, string What, string? Remedy, string? Code)> Found)> RunDoctorAsync()
    {
        WriteConfig();
        var output = await RunCommandAsync(["doctor", "--json", .. DirectoryArguments]);
        var document = JsonNode.Parse(output.Output)!;
        return (output.ExitCode, document["checks"]!.AsArray().GroupBy(check => (string)check!["name"]!).ToDictionary(same => same.Key,
            same => ((string)same.First()!["finding"]!, (string)same.First()!["what"]!, (string?)same.First()!["remedy"], (string?)same.First()!["code"])));
    }
}
