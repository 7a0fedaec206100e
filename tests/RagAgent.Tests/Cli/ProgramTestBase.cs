using System.Diagnostics;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>Starts the program in a folder of its own, where there is no engine and nobody who is AWS.</summary>
public abstract class ProgramTestBase : IDisposable
{
    private protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("ragagent-cli-");

    private readonly List<Process> _started = [];
    private protected Dictionary<string, string> Environment { get; } = [];

    /// <summary>Of no engine, unless a test puts something there.</summary>
    protected string EngineSocket => Path.Combine(Folder.FullName, "engine.sock");

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        foreach (var process in _started)
        {
            process.Kill();   // does nothing when it has ended
            process.Dispose();
        }
        Folder.Delete(recursive: true);
    }
    /// <summary>An engine that is not on this machine, a control socket that can't be, and nobody who is AWS.</summary>
    protected string[] ArgumentsWithNothingReachable()
    {
        Environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
        Environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
        (Environment["AWS_REGION"], Environment["AWS_ACCESS_KEY_ID"], Environment["AWS_SECRET_ACCESS_KEY"]) = ("eu-central-1", "none", "none");
        return ["--config", WriteRunnableConfig(), "--runtime-dir", Path.Combine(Folder.FullName, new string('d', 100)), "--state-dir", "state"];
    }

    protected string WriteConfig(string text)
    {
        var path = Path.Combine(Folder.FullName, "ragagent.json");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>One that an agent can begin with, and go on with: there is no engine, and nobody who has its container.</summary>
    protected string WriteRunnableConfig(int? port = null, int registry = 1) =>
        WriteConfig($$"""{ "image": "localhost:{{registry}}/app", "container": { "name": "{{Folder.Name}}" }, "listen": { "http": {{port ?? FreePort.Find()}} } }""");

    protected static async Task SignalAsync(Process agent, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{agent.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    protected async Task WaitUntilControlAnswersAsync()
    {
        using var client = new ControlClient(Folder.FullName);
        while (true)
        {
            try
            {
                await client.StatusAsync(null, TestContext.Current.CancellationToken);
                return;
            }
            catch (ProblemException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);   // it does not listen yet
            }
        }
    }

    protected static async Task WaitForLogLineAsync(Process agent, List<string> log, string expected)
    {
        while (log.LastOrDefault()?.Contains(expected, StringComparison.Ordinal) != true)
        {
            log.Add(await agent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException($"It ended before '{expected}':\n{string.Join('\n', log)}"));
        }
    }

    protected Process Start(params string[] arguments) => Run(Path.Combine(AppContext.BaseDirectory, "ragagent"), arguments);

    protected Task<ProgramResult> RunAsync(params string[] arguments) => WaitForResultAsync(Start(arguments));

    /// <param name="script">With the program as <c>$0</c>.</param>
    protected Task<ProgramResult> RunInShellAsync(string script) => WaitForResultAsync(Run("/bin/sh", ["-c", script, Path.Combine(AppContext.BaseDirectory, "ragagent")]));

    /// <summary>Its standard input is what is typed, its standard output what the terminal shows.</summary>
    protected Process StartAtTerminal(string arguments) =>
        Run("script", ["--quiet", "--return", "--command", $"'{Path.Combine(AppContext.BaseDirectory, "ragagent")}' {arguments}", "/dev/null"], isTyped: true);

    private Process Run(string program, string[] arguments, bool isTyped = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = isTyped,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder.FullName,
        };
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["DOCKER_HOST"] = $"unix://{EngineSocket}";
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment.Remove("JOURNAL_STREAM");
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        _started.Add(process);
        return process;
    }

    private static async Task<ProgramResult> WaitForResultAsync(Process process)
    {
        var stop = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var error = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new ProgramResult(process.ExitCode, await output, await error);
    }

    protected sealed record ProgramResult(int ExitCode, string Output, string Error);
}
