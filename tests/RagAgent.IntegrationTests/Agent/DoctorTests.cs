using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The doctor with and without a running agent, with one fault after another, and on a developer's machine.</summary>
public sealed class DoctorTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task The_doctor_checks_everything_without_an_agent_and_changes_nothing()
    {
        await PushAsync();

        var (exit, found) = await RunDoctorAsync();

        Assert.Equal(("ok", "skipped"), (found["config"].Finding, found["app"].Finding));
        Assert.All(
            new[] { "engine", "port", "instance", "endpoints", "credentials", "secrets", "registry", "disk" },
            check => Assert.Equal((check, "ok"), (check, found[check].Finding)));
        Assert.NotEqual("failed", found["service"].Finding);
        Assert.Equal(0, exit);
        Assert.Empty(await ContainersAsync(Docker));
        Assert.DoesNotContain(Repository, (await Docker.RunAsync("images")).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(StateDirectory));
    }

    [Fact]
    public async Task The_doctor_repeats_what_the_running_agent_reports()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        var (exit, found) = await RunDoctorAsync();

        Assert.Equal(0, exit);
        Assert.StartsWith("The app serves (sha256:", found["app"].What, StringComparison.Ordinal);
        Assert.Equal($"The front door is open on port {Port}.", found["port"].What);
        Assert.StartsWith("The newest image is on disk;", found["disk"].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_warns_about_a_configuration_changed_since_the_agent_read_it()
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
    public async Task The_doctor_reports_a_missing_role_and_skips_what_depends_on_it()
    {
        Aws.Instance = Aws.Instance with { RoleName = null };
        var (exit, found) = await RunDoctorAsync();
        Assert.Equal((1, "imds-no-role"), (exit, found["credentials"].Code));
        Assert.Equal("Not checked, for the same reason as credentials.", found["secrets"].What);
        Assert.Equal("Not checked, for the same reason as credentials.", found["registry"].What);
    }

    [Fact]
    public async Task The_doctor_reports_a_missing_and_a_denied_parameter()
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
    public async Task The_doctor_reports_a_missing_repository_denied_layers_and_a_denied_token()
    {
        Assert.Equal("registry-repository-missing", (await RunDoctorAsync()).Found["registry"].Code);
        await PushAsync();
        Aws.Faults.Add(Operations.RegistryBlob, new Fault.Error("DENIED"));
        Assert.Equal("registry-denied", (await RunDoctorAsync()).Found["registry"].Code);
        Aws.Faults.Clear();
        Aws.Faults.Add(Operations.GetAuthorizationToken, new Fault.Error("AccessDeniedException"));
        var denied = (await RunDoctorAsync()).Found["registry"];
        Assert.Equal(("aws-denied", "Allow the instance role ecr:GetAuthorizationToken on '*'. No restart is needed."), (denied.Code, denied.Remedy));
    }

    [Fact]
    public async Task The_doctor_reports_a_taken_port_and_an_unreachable_engine()
    {
        var other = new TcpListener(IPAddress.IPv6Any, Port) { Server = { DualMode = true } };
        other.Start();
        AgentEnvironment["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
        var (exit, found) = await RunDoctorAsync();
        other.Stop();
        Assert.Equal((1, "listen-port-taken", "engine-unreachable"), (exit, found["port"].Code, found["engine"].Code));
    }

    [Fact]
    public async Task The_doctor_stops_at_an_invalid_configuration()
    {
        Config["imag"] = "x";
        var (exit, found) = await RunDoctorAsync();
        Assert.Equal(1, exit);
        Assert.Equal(["config"], found.Keys);
        Assert.Contains("unknown key; did you mean 'image'?", found["config"].What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_copes_with_a_developers_machine_without_AWS()
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
    public async Task A_support_bundle_has_the_evidence_and_no_secret()
    {
        ConfigureApp(("DATABASE_PASSWORD", "hunter2-hunter2"));
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var bundle = Path.Combine(Folder, "bundle.tar.gz");

        Assert.Contains(
            "Wrote ",
            (await RunCommandAsync(["support", "--output", bundle, .. DirectoryArguments])).AssertSucceeded(),
            StringComparison.Ordinal);
        Assert.Equal(1, (await RunCommandAsync(["support", "--output", bundle, .. DirectoryArguments])).ExitCode);   // it never overwrites

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bundle));
        var text = (await ProcessRunner.RunAsync(
            "tar", ["--extract", "--gzip", "--to-stdout", "--file", bundle], stopping: TestCancellation)).AssertSucceeded();
        Assert.Contains("OPENAI_API_KEY (version 1 of parameter", text, StringComparison.Ordinal);
        Assert.Contains("\"DATABASE_PASSWORD\": \"***\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, text, StringComparison.Ordinal);
    }

    private string[] DirectoryArguments => ["--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory];

    private async Task<(
        int ExitCode, Dictionary<string, (string Finding, string What, string? Remedy, string? Code)> Found)> RunDoctorAsync()
    {
        WriteConfig();
        var output = await RunCommandAsync(["doctor", "--json", .. DirectoryArguments]);
        var document = JsonNode.Parse(output.Output)!;
        return (output.ExitCode, document["checks"]!.AsArray().DistinctBy(check => (string)check!["name"]!).ToDictionary(
            check => (string)check!["name"]!,
            check => ((string)check!["finding"]!, (string)check["what"]!, (string?)check["remedy"], (string?)check["code"])));
    }
}
