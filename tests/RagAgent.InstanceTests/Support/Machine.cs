using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.InstanceTests.Support;

/// <summary>One EC2 instance, as far as it can be had here: <c>scripts/machine.sh</c> says how it is made.</summary>
public sealed class Machine : IAsyncDisposable
{
    private const int MachineOffExitCode = 69;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _folder;

    private Machine(string folder) => _folder = folder;

    /// <summary>The newest package of <c>dist/</c>, or what <c>RAGAGENT_PACKAGE</c> names.</summary>
    public static string Package { get; } = Environment.GetEnvironmentVariable("RAGAGENT_PACKAGE") is { Length: > 0 } named
        ? named
        : new DirectoryInfo(RepositoryFiles.PathOf("dist")) is { Exists: true } dist && dist.GetFiles("ragagent-*-linux-x64.tar.gz").MaxBy(f => f.LastWriteTimeUtc) is { } newest
            ? newest.FullName
            : throw new InvalidOperationException("There is no package in dist/. Make one: packaging/build.sh");

    /// <summary>The same as a package of the system's.</summary>
    public static string SystemPackage { get; } = new FileInfo(Package).Directory!.GetFiles("ragagent_*_amd64.deb").MaxBy(f => f.LastWriteTimeUtc)?.FullName
        ?? throw new InvalidOperationException($"There is no .deb beside {Package}. Make one: packaging/build.sh");

    /// <summary>The secret, for a search that must not find it.</summary>
    public string Key => File.ReadAllText(Path.Combine(_folder, "key")).Trim();

    /// <summary>The root of the machine's file system, also while it is off.</summary>
    public string RootFolder => Path.Combine(_folder, "tree");

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    /// <summary>The AMI, as <c>install.sh</c> leaves it: never started.</summary>
    /// <param name="disk">On a disk of its own: a power cut loses what was not written to it yet. It can't be looked into from outside.</param>
    /// <param name="package">Null: <see cref="Package"/>.</param>
    public static async Task<Machine> BakeAsync(bool disk = false, string? package = null)
    {
        // Not /tmp: it may be mounted without devices. Short: a socket's path has 108 characters.
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

    /// <summary>A machine that has booted, with an app that serves.</summary>
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

    /// <summary>Whether it is on: it may have gone off by itself.</summary>
    public async Task<bool> IsRunningAsync() => (await RunAsync("true")).ExitCode != MachineOffExitCode;

    public async Task CutPowerAsync() => (await ScriptAsync("cut")).AssertSucceeded();

    public async Task PushAsync(string version, params string[] more) => (await ScriptAsync("push", [version, .. more])).AssertSucceeded();

    /// <summary>Runs a command in the machine.</summary>
    internal Task<ProcessResult> RunAsync(params string[] command) => ScriptAsync("run", command);

    /// <summary>Runs a command that must succeed, and returns what it said.</summary>
    public async Task<string> RunCheckedAsync(params string[] command) => (await RunAsync(command)).AssertSucceeded();

    /// <summary>How often AWS was asked for this.</summary>
    public async Task<int> CountAwsRequestsAsync(string operation) =>
        int.Parse((await ScriptAsync("aws", "requests", "--operation", operation, "--count")).AssertSucceeded(), CultureInfo.InvariantCulture);

    /// <summary>Asks AWS as it is played here: <c>local-aws COMMAND…</c>.</summary>
    public async Task<string> LocalAwsAsync(params string[] command) => (await ScriptAsync("aws", command)).AssertSucceeded();

    /// <summary>Which of these files hold the key.</summary>
    /// <param name="where">What grep is told.</param>
    public async Task<string> FindKeyAsync(string where) =>
        // The key itself would be found in the arguments of the search.
        await RunCheckedAsync("sh", "-c", $"echo {Convert.ToBase64String(Encoding.UTF8.GetBytes(Key))} | base64 -d | grep --binary-files=text --files-with-matches --fixed-strings --file=- {where} 2>/dev/null || true");

    /// <summary>Visits again and again from outside, until the work is done; returns what went wrong with the visits.</summary>
    /// <param name="work">What must not be noticed.</param>
    /// <param name="atLeast">So many visits must be over by then, or the work was not looked at.</param>
    /// <param name="curlArguments">Where to, as curl is told.</param>
    public async Task<string> RequestDuringAsync(Func<Task> work, int atLeast = 11, string curlArguments = "http://10.77.0.2/")
    {
        var end = Path.Combine(_folder, "visited");
        var requests = ScriptAsync("cloud", "sh", "-c",
            $"while [ ! -e {end} ]; do curl --silent --fail --output /dev/null --max-time 30 {curlArguments} || echo \"curl ended with $?\"; n=$((n + 1)); sleep 0.02; done; [ $n -ge {atLeast} ] || echo only $n visits");
        await work();
        await File.WriteAllTextAsync(end, "", TestCancellation);
        var failures = (await requests).AssertSucceeded();
        File.Delete(end);
        return failures;
    }

    /// <summary>From now on no name of AWS's can be resolved; returns what gives them back.</summary>
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

    /// <summary>A unit of the machine's that starts with it; to be called while it is off.</summary>
    public void AddUnit(string name, string text)
    {
        Write($"etc/systemd/system/{name}", text);
        var wants = Path.Combine(RootFolder, $"etc/systemd/system/{text[(text.IndexOf("WantedBy=", StringComparison.Ordinal) + "WantedBy=".Length)..].Trim()}.wants");
        Directory.CreateDirectory(wants);
        File.CreateSymbolicLink(Path.Combine(wants, name), $"/etc/systemd/system/{name}");
    }

    public Task<string> JournalAsync() => RunCheckedAsync("journalctl", "--unit", "ragagent", "--boot", "--no-pager", "--output", "cat");

    /// <summary>What a visitor gets from outside: the status code, and the body.</summary>
    public Task<(int Status, string Body)> GetAsync() => GetAsync("http://10.77.0.2/");

    /// <param name="curlArguments">Where to, as curl is told.</param>
    /// <returns>The status code, 0 without an answer; and the body.</returns>
    public async Task<(int Status, string Body)> GetAsync(params string[] curlArguments)
    {
        var answer = await ScriptAsync("cloud", ["curl", "--silent", "--max-time", "5", "--write-out", "\n%{http_code}", .. curlArguments]);
        var end = answer.Output.LastIndexOf('\n');
        return (int.Parse(answer.Output[(end + 1)..], CultureInfo.InvariantCulture), answer.Output[..Math.Max(0, end)]);
    }

    /// <summary>Waits until a visitor sees this version, and returns when its container was started.</summary>
    public async Task<string> WaitUntilServingAsync(string version)
    {
        await WaitUntilAsync(async () => await GetAsync() is (200, var body) && body.Contains($">{version}<", StringComparison.Ordinal), $"version {version} serves");
        return await StartedAtAsync();
    }

    /// <summary>Changes with every start of the app's container.</summary>
    public async Task<string> StartedAtAsync() => JsonNode.Parse(await RunCheckedAsync("docker", "inspect", "ragstream"))![0]!["State"]!["StartedAt"]!.GetValue<string>();

    /// <summary>What systemd knows of the service.</summary>
    public async Task<string> PropertyAsync(string name) => await RunCheckedAsync("systemctl", "show", "--property", name, "--value", "ragagent.service");

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

    public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync(RepositoryFiles.PathOf("scripts/machine.sh"), ["remove", _folder], ScriptEnvironment);

    private static Dictionary<string, string> ScriptEnvironment { get; } = new()
    {
        ["HOME"] = Environment.GetEnvironmentVariable("HOME") ?? "/root",
        ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    };

    private Task<ProcessResult> ScriptAsync(string verb, params string[] arguments) =>
        ProcessRunner.RunAsync(RepositoryFiles.PathOf("scripts/machine.sh"), [verb, _folder, .. arguments], ScriptEnvironment, stopping: TestCancellation);
}
