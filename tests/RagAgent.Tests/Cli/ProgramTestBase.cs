using System.Diagnostics;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>Starts the program in its own folder, without a Docker Engine and AWS.</summary>
public abstract class ProgramTestBase : IDisposable
{
    private protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("ragagent-cli-");

    private readonly List<Process> _started = [];
    private protected Dictionary<string, string> Environment { get; } = [];

    /// <summary>Nothing listens there unless a test does.</summary>
    protected string EngineSocket => Path.Combine(Folder.FullName, "engine.sock");

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        foreach (var process in _started)
        {
            process.Kill();   // no effect if it has exited
            process.Dispose();
        }
        Folder.Delete(recursive: true);
    }

    /// <summary>With an engine on another machine, a control socket that can't exist, and AWS that doesn't answer.</summary>
    protected string[] ArgumentsWithNothingReachable()
    {
        Environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
        Environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
        Environment["AWS_REGION"] = "eu-central-1";
        (Environment["AWS_ACCESS_KEY_ID"], Environment["AWS_SECRET_ACCESS_KEY"]) = ("none", "none");
        var tooLongForSocket = Path.Combine(Folder.FullName, new string('d', 100));
        return ["--config", WriteRunnableConfig(), "--runtime-dir", tooLongForSocket, "--state-dir", "state"];
    }

    protected string WriteConfig(string text)
    {
        var path = Path.Combine(Folder.FullName, "ragagent.json");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>An agent can run with it: the container name and the port are its own.</summary>
    protected string WriteRunnableConfig(int? port = null, int registry = 1)
    {
        var http = port ?? FreePort.Find();
        return WriteConfig(
            $$"""{ "image": "localhost:{{registry}}/app", "container": { "name": "{{Folder.Name}}" }, "listen": { "http": {{http}} } }""");
    }

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
                // It does not listen yet.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    protected static async Task WaitForLogLineAsync(Process agent, List<string> log, string expected)
    {
        while (log.LastOrDefault()?.Contains(expected, StringComparison.Ordinal) != true)
        {
            try
            {
                var line = await agent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
                log.Add(line ?? throw new InvalidOperationException($"It exited before '{expected}':\n{string.Join('\n', log)}"));
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException($"It never logged '{expected}':\n{string.Join('\n', log)}", exception);
            }
        }
    }

    protected Process Start(params string[] arguments) => Run(Path.Combine(AppContext.BaseDirectory, "ragagent"), arguments);

    protected Task<ProgramResult> RunAsync(params string[] arguments) => WaitForResultAsync(Start(arguments));

    /// <param name="script">The program is <c>$0</c>.</param>
    protected Task<ProgramResult> RunInShellAsync(string script) =>
        WaitForResultAsync(Run("/bin/sh", ["-c", script, Path.Combine(AppContext.BaseDirectory, "ragagent")]));

    /// <summary>Standard input is what is typed, standard output what the terminal shows.</summary>
    protected Process StartAtTerminal(string arguments)
    {
        var command = $"'{Path.Combine(AppContext.BaseDirectory, "ragagent")}' {arguments}";
        return Run("script", ["--quiet", "--return", "--command", command, "/dev/null"], isTyped: true);
    }

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
        var runtime = System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory();
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(runtime, "../../.."));
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
        var stopping = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(stopping);
        var error = process.StandardError.ReadToEndAsync(stopping);
        await process.WaitForExitAsync(stopping);
        return new ProgramResult(process.ExitCode, await output, await error);
    }

    protected sealed record ProgramResult(int ExitCode, string Output, string Error);
}
