using System.Diagnostics;
using System.Text.Json.Nodes;
using LocalAws.Admin;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>The local-aws command, as scripts use it.</summary>
public sealed class LocalAwsCommandTests : IAsyncLifetime
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "local-aws.dll");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("local-aws-serve-");
    private Process _serve = null!;
    private ReadyFile _ready = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(PathOf("value"), "sk-planted\n", TestCancellation);
        await File.WriteAllTextAsync(PathOf("secret"), "static-secret", TestCancellation);
        _serve = ProcessRunner.Start(
            "dotnet",
            [
                "exec", Program, "serve", "--state-dir", PathOf("state"), "--ready-file", PathOf("ready.json"),
                "--parameter", $"/key=@{PathOf("value")}", "--static-key", $"AKIDSCRIPT=@{PathOf("secret")}",
            ],
            CommandEnvironment);
        await _serve.StandardOutput.ReadLineAsync(TestCancellation);
        _ready = ReadyFile.Read(PathOf("ready.json"));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_serve.HasExited)
        {
            await TerminateAsync();
        }

        _serve.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task LocalAws_serves_values_from_files_until_it_is_stopped()
    {
        var read = await ProcessRunner.RunAsync("/usr/bin/aws",
            [
                "--endpoint-url", _ready.ApiEndpoint, "ssm", "get-parameter", "--name", "/key", "--with-decryption", "--query",
                "Parameter.Value", "--output", "text"],
            new Dictionary<string, string>
            {
                ["AWS_REGION"] = _ready.Region,
                ["AWS_ACCESS_KEY_ID"] = "AKIDSCRIPT",
                ["AWS_SECRET_ACCESS_KEY"] = "static-secret",
            },
            stopping: TestCancellation);
        Assert.Equal("sk-planted", read.AssertSucceeded());
        var registry = ChildOf(_serve.Id);

        await TerminateAsync();

        Assert.Equal(0, _serve.ExitCode);
        Assert.False(Directory.Exists($"/proc/{registry}"));
        Assert.False(File.Exists(PathOf("ready.json")));
    }

    [Fact(Timeout = 30_000)]
    public async Task The_registry_ends_with_LocalAws_even_if_LocalAws_is_killed()
    {
        using var registry = Process.GetProcessById(ChildOf(_serve.Id));

        _serve.Kill();
        await _serve.WaitForExitAsync(TestContext.Current.CancellationToken);

        await registry.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Parameters_and_faults_can_be_set_from_a_script()
    {
        await File.WriteAllTextAsync(PathOf("value"), "second", TestCancellation);
        Assert.Equal("/key version 2", (await LocalAwsAsync("parameter", "put", "/key", $"@{PathOf("value")}")).AssertSucceeded());
        (await LocalAwsAsync("fault", "set", "imds-role", "no-role", "--times", "2")).AssertSucceeded();

        var faults = JsonNode.Parse((await LocalAwsAsync("fault", "list")).AssertSucceeded())!.AsArray();
        (await LocalAwsAsync("fault", "clear")).AssertSucceeded();

        Assert.Equal(("imds-role", 2), (faults[0]!["operation"]!.GetValue<string>(), faults[0]!["times"]!.GetValue<int>()));
        Assert.Equal("[]", (await LocalAwsAsync("fault", "list")).AssertSucceeded());
        Assert.Equal("0", (await LocalAwsAsync("requests", "--count")).AssertSucceeded());
    }

    [Fact]
    public async Task A_zone_and_the_addresses_of_the_instance_can_be_set_from_a_script()
    {
        (await LocalAwsAsync("zone", "add", "Z0123456789ABCDEFGHIJ", "example.com")).AssertSucceeded();
        (await LocalAwsAsync("instance", "--public-ipv4", "203.0.113.7", "--ipv6", "2001:db8::7")).AssertSucceeded();
        (await LocalAwsAsync("instance", "--ipv6", "")).AssertSucceeded();
        const string changes = """
            {
              "Changes": [
                {
                  "Action": "CREATE",
                  "ResourceRecordSet": { "Name": "rag.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [ { "Value": "203.0.113.7" } ] }
                }
              ]
            }
            """;
        (await ProcessRunner.RunAsync(
            "/usr/bin/aws",
            [
                "--endpoint-url", _ready.ApiEndpoint, "route53", "change-resource-record-sets",
                "--hosted-zone-id", "Z0123456789ABCDEFGHIJ", "--change-batch", changes,
            ],
            new Dictionary<string, string>
            {
                ["AWS_REGION"] = "us-east-1",
                ["AWS_ACCESS_KEY_ID"] = "AKIDSCRIPT",
                ["AWS_SECRET_ACCESS_KEY"] = "static-secret",
            },
            stopping: TestCancellation)).AssertSucceeded();

        Assert.Equal(
            "rag.example.com. 60 A 203.0.113.7", (await LocalAwsAsync("zone", "records", "Z0123456789ABCDEFGHIJ")).AssertSucceeded());
        Assert.Contains(
            "No hosted zone found with ID: Z1", (await LocalAwsAsync("zone", "records", "Z1")).AssertFailed(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_value_on_the_command_line_is_refused() =>
        Assert.Contains(
            "process list",
            (await LocalAwsAsync("parameter", "put", "/key", "sk-visible")).AssertFailed(),
            StringComparison.Ordinal);

    // Temporary files go to the test's folder, because a killed LocalAws can't remove its own.
    private Dictionary<string, string> CommandEnvironment => new()
    {
        ["TMPDIR"] = _folder.FullName,
        ["PATH"] = Environment.GetEnvironmentVariable("PATH")!,
        ["DOTNET_ROOT"] = Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? "",
    };

    private Task<ProcessResult> LocalAwsAsync(params string[] arguments) =>
        ProcessRunner.RunAsync(
            "dotnet", ["exec", Program, .. arguments, "--endpoint", _ready.ApiEndpoint], CommandEnvironment, stopping: TestCancellation);

    private async Task TerminateAsync()
    {
        await ProcessRunner.RunAsync("kill", ["-TERM", $"{_serve.Id}"], stopping: TestCancellation);
        await _serve.WaitForExitAsync(TestCancellation);
    }

    private static int ChildOf(int id) =>
        int.Parse(File.ReadAllText($"/proc/{id}/task/{RegistryThreadOf(id)}/children"), System.Globalization.CultureInfo.InvariantCulture);

    private static string RegistryThreadOf(int id) => Directory.EnumerateDirectories($"/proc/{id}/task").Select(Path.GetFileName)
        .Single(thread => File.ReadAllText($"/proc/{id}/task/{thread}/children").Length > 0)!;

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
