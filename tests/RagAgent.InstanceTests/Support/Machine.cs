using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.InstanceTests.Support;

/// <summary>A machine that imitates an EC2 instance. <c>scripts/machine.sh</c> explains how it is built.</summary>
public sealed class Machine : IAsyncDisposable
{
    private const int MachineOffExitCode = 69;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _folder;

    private Machine(string folder) => _folder = folder;

    /// <summary><c>RAGAGENT_PACKAGE</c>, or the newest package in <c>dist/</c>.</summary>
    public static string Package { get; } = Environment.GetEnvironmentVariable("RAGAGENT_PACKAGE") is { Length: > 0 } named
        ? named
        : new DirectoryInfo(RepositoryFiles.PathOf("dist")) is { Exists: true } dist &&
            dist.GetFiles("ragagent-*-linux-x64.tar.gz").MaxBy(f => f.LastWriteTimeUtc) is { } newest
            ? newest.FullName
            : throw new InvalidOperationException("There is no package in dist/. Build one with packaging/build.sh.");

    /// <summary>The .deb package of the same build.</summary>
    public static string SystemPackage { get; } = new FileInfo(Package).Directory!
        .GetFiles("ragagent_*_amd64.deb")
        .MaxBy(f => f.LastWriteTimeUtc)?.FullName
        ?? throw new InvalidOperationException($"There is no .deb next to {Package}. Build one with packaging/build.sh.");

    /// <summary>The secret, for searches that must not find it.</summary>
    public string Key => File.ReadAllText(Path.Combine(_folder, "key")).Trim();

    /// <summary>The root of the machine's file system, even while it is off.</summary>
    public string RootFolder => Path.Combine(_folder, "tree");

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    /// <summary>Installs the package as an AMI would contain it. The machine has never been started.</summary>
    /// <param name="disk">Whether it gets a separate disk, so that a power cut loses unwritten data. Its files can't be read from
    /// outside.</param>
    /// <param name="package">The archive or .deb; by default <see cref="Package"/>.</param>
    public static async Task<Machine> BakeAsync(bool disk = false, string? package = null)
    {
        // Not /tmp, which may be mounted without devices. Short, because a socket's path has at most 107 characters.
        var machine = new Machine($"/var/tmp/ragm.{Guid.NewGuid():N}"[..21]);
        try
        {
            Directory.CreateDirectory(machine._folder);
            (await machine.ScriptAsync("bake", [package ?? Package, .. disk ? (string[])["--disk"] : []])).AssertSucceeded();
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Boots a machine and waits until its app serves.</summary>
    public static async Task<Machine> StartServingAsync(string version = "1", bool disk = false)
    {
        var machine = await BakeAsync(disk);
        try
        {
            await machine.PowerOnAsync();
            await machine.PushAsync(version);
            await machine.WaitUntilServingAsync(version);
            return machine;
        }
        catch
        {
            TestContext.Current.TestOutputHelper?.WriteLine(await machine.JournalAsync());
            await machine.DisposeAsync();
            throw;
        }
    }

    public async Task PowerOnAsync() => (await ScriptAsync("on")).AssertSucceeded();

    public async Task PowerOffAsync() => (await ScriptAsync("off")).AssertSucceeded();

    /// <summary>Whether the machine is on. It may have powered itself off.</summary>
    public async Task<bool> IsRunningAsync() => (await RunAsync("true")).ExitCode != MachineOffExitCode;

    public async Task CutPowerAsync() => (await ScriptAsync("cut")).AssertSucceeded();

    public async Task PushAsync(string version, params string[] more) => (await ScriptAsync("push", [version, .. more])).AssertSucceeded();

    /// <summary>Runs a command in the machine.</summary>
    internal Task<ProcessResult> RunAsync(params string[] command) => ScriptAsync("run", command);

    /// <summary>Runs a command that must succeed and returns its output.</summary>
    public async Task<string> RunCheckedAsync(params string[] command) => (await RunAsync(command)).AssertSucceeded();

    /// <summary>How often an AWS operation was called.</summary>
    public async Task<int> CountAwsRequestsAsync(string operation) =>
        int.Parse(
            (await ScriptAsync("aws", "requests", "--operation", operation, "--count")).AssertSucceeded(), CultureInfo.InvariantCulture);

    /// <summary>Runs a command of the machine's LocalAws: <c>local-aws COMMAND…</c>.</summary>
    public async Task<string> LocalAwsAsync(params string[] command) => (await ScriptAsync("aws", command)).AssertSucceeded();

    /// <summary>The files that contain the secret.</summary>
    /// <param name="where">Options and paths for grep.</param>
    public async Task<string> FindKeyAsync(string where) =>
        // In base64, because the search would otherwise find the secret in its own arguments.
        await RunCheckedAsync("sh", "-c", $"echo {Convert.ToBase64String(Encoding.UTF8.GetBytes(Key))} | base64 -d | " +
            $"grep --binary-files=text --files-with-matches --fixed-strings --file=- {where} 2>/dev/null || true");

    /// <summary>Sends requests from outside until the work is done. Returns the errors, or an empty string.</summary>
    /// <param name="work">What clients must not notice.</param>
    /// <param name="atLeast">The requests that must have ended by then, to be sure that the work was observed.</param>
    /// <param name="curlArguments">curl's arguments, including the URL.</param>
    public async Task<string> RequestDuringAsync(Func<Task> work, int atLeast = 11, string curlArguments = "http://10.77.0.2/")
    {
        var end = Path.Combine(_folder, "requests-end");
        var requests = ScriptAsync("cloud", "sh", "-c",
            $"while [ ! -e {end} ]; do curl --silent --fail --output /dev/null --max-time 30 {curlArguments} || echo \"curl ended with $?\"; " +
            $"n=$((n + 1)); sleep 0.02; done; [ $n -ge {atLeast} ] || echo only $n requests");
        await work();
        await File.WriteAllTextAsync(end, "", TestCancellation);
        var failures = (await requests).AssertSucceeded();
        File.Delete(end);
        return failures;
    }

    /// <summary>Makes AWS's names unresolvable. Pass the returned text to <see cref="RestoreDns"/> to undo it.</summary>
    public string BreakDns()
    {
        var names = File.ReadAllText(Path.Combine(RootFolder, "etc/hosts"));
        RestoreDns("127.0.0.1 localhost\n");
        return names;
    }

    public void RestoreDns(string names) => File.WriteAllText(Path.Combine(RootFolder, "etc/hosts"), names);

    public void Write(string file, string text)
    {
        File.WriteAllText(Path.Combine(RootFolder, file), text);
        File.SetUnixFileMode(Path.Combine(RootFolder, file), (UnixFileMode)0b110_100_100);
    }

    public void WriteConfig(string text) => Write("etc/ragagent.json", text);

    /// <summary>Adds a unit that starts with the machine. Call it while the machine is off.</summary>
    public void AddUnit(string name, string text)
    {
        Write($"etc/systemd/system/{name}", text);
        var wants = Path.Combine(
            RootFolder,
            $"etc/systemd/system/{text[(text.IndexOf("WantedBy=", StringComparison.Ordinal) + "WantedBy=".Length)..].Trim()}.wants");
        Directory.CreateDirectory(wants);
        File.CreateSymbolicLink(Path.Combine(wants, name), $"/etc/systemd/system/{name}");
    }

    public Task<string> JournalAsync() => RunCheckedAsync("journalctl", "--unit", "ragagent", "--boot", "--no-pager", "--output", "cat");

    /// <summary>The output of <c>ragagent status</c>, whatever its exit code.</summary>
    public Task<string> StatusAsync() => RunCheckedAsync("sh", "-c", "ragagent status || true");

    public Task WaitForStatusAsync(string text) =>
        WaitUntilAsync(async () => (await StatusAsync()).Contains(text, StringComparison.Ordinal), $"status shows '{text}'");

    public Task WaitForJournalAsync(string text) =>
        WaitUntilAsync(async () => (await JournalAsync()).Contains(text, StringComparison.Ordinal), $"the journal has '{text}'");

    /// <summary>Waits until clients get status 503 with this text.</summary>
    public Task WaitForUnavailableAsync(string text) => WaitUntilAsync(
        async () => await GetAsync() is (503, var body) && body.Contains(text, StringComparison.Ordinal), $"clients get 503 with '{text}'");

    /// <summary>Waits until systemd has replaced the agent's process.</summary>
    public Task WaitForRestartAsync(string previousProcess) => WaitUntilAsync(
        async () => await PropertyAsync("MainPID") is var process && process != previousProcess && process != "0",
        "systemd restarts the agent");

    /// <summary>What a client outside the machine gets: the status code and the body.</summary>
    public Task<(int Status, string Body)> GetAsync() => GetAsync("http://10.77.0.2/");

    /// <param name="curlArguments">curl's arguments, including the URL.</param>
    /// <returns>The status code (0 without a response) and the body.</returns>
    public async Task<(int Status, string Body)> GetAsync(params string[] curlArguments)
    {
        var answer = await ScriptAsync("cloud", ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}", .. curlArguments]);
        var end = answer.Output.LastIndexOf('\n');
        return (int.Parse(answer.Output[(end + 1)..], CultureInfo.InvariantCulture), answer.Output[..Math.Max(0, end)]);
    }

    /// <summary>Waits until clients get this version and returns when its container was started.</summary>
    public async Task<string> WaitUntilServingAsync(string version)
    {
        await WaitUntilAsync(
            async () => await GetAsync() is (200, var body) && body.Contains($">{version}<", StringComparison.Ordinal),
            $"version {version} serves");
        return await StartedAtAsync();
    }

    /// <summary>When the app's container was started; every start changes it.</summary>
    public async Task<string> StartedAtAsync() =>
        JsonNode.Parse(await RunCheckedAsync("docker", "inspect", "ragstream"))![0]!["State"]!["StartedAt"]!.GetValue<string>();

    /// <summary>A property of the service in systemd.</summary>
    public async Task<string> PropertyAsync(string name) =>
        await RunCheckedAsync("systemctl", "show", "--property", name, "--value", "ragagent.service");

    public async Task WaitUntilAsync(Func<Task<bool>> condition, string what)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        timeout.CancelAfter(Timeout);
        while (!await condition())
        {
            if (timeout.IsCancellationRequested)
            {
                TestCancellation.ThrowIfCancellationRequested();
                Assert.Fail($"Not within {Timeout}: {what}. The journal:\n{(await RunAsync("journalctl", "--unit", "ragagent", "--no-pager", "--lines", "60")).Output}");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, TestCancellation);
        }
    }

    public async ValueTask DisposeAsync() =>
        await ProcessRunner.RunAsync(RepositoryFiles.PathOf("scripts/machine.sh"), ["remove", _folder], ScriptEnvironment);

    private static Dictionary<string, string> ScriptEnvironment { get; } = new()
    {
        ["HOME"] = Environment.GetEnvironmentVariable("HOME") ?? "/root",
        ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    };

    private Task<ProcessResult> ScriptAsync(string verb, params string[] arguments) =>
        ProcessRunner.RunAsync(
            RepositoryFiles.PathOf("scripts/machine.sh"), [verb, _folder, .. arguments], ScriptEnvironment, stopping: TestCancellation);
}
