using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using RagAgent.Control;
using RagAgent.Diagnostics;
using RagAgent.Supervision;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>The program as the shell sees it.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-cli-");

    private readonly List<Process> _started = [];
    private readonly Dictionary<string, string> _environment = [];

    /// <summary>Of no engine, unless a test puts something there.</summary>
    private string EngineSocket => Path.Combine(_folder.FullName, "engine.sock");

    public void Dispose()
    {
        foreach (var process in _started)
        {
            process.Kill();   // does nothing when it has ended
            process.Dispose();
        }
        _folder.Delete(recursive: true);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_version_is_told() => Assert.Equal(new Finished(0, $"ragagent {AgentVersion.Short}\n", ""), await RunAsync("--version"));

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_valid_file_is_told_as_such()
    {
        var file = Write("""{ "image": "app" }""");

        Assert.Equal(new Finished(0, $"{file} is valid.\n", ""), await RunAsync("config", "check", file));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("config", "check")]
    [InlineData("run", "--config")]
    public async Task Every_mistake_has_a_line_of_its_own_and_the_exit_code_says_that_a_restart_is_of_no_use(string command, string option)
    {
        var file = Write("{\n  \"image\": \"App\",\n  \"listen\": { \"http\": \"x\" }\n}");

        var run = await RunAsync(command, option, file);

        Assert.Equal((78, ""), (run.Code, run.Output));
        var lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{file}:2:12: image: must have a repository in lower case", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{file}:3:23: listen.http: ", lines[1], StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_missing_file_is_told_with_one_that_works()
    {
        var run = await RunAsync("config", "check", Path.Combine(_folder.FullName, "missing.json"));

        Assert.Equal(78, run.Code);
        Assert.Contains("there is no such file; write it.", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("--nonsense")]
    [InlineData("nonsense")]
    [InlineData("status", "--nonsense")]
    [InlineData("run", "--nonsense")]
    [InlineData("run", "nonsense")]
    public async Task An_unknown_option_or_command_is_named_and_nothing_is_done(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.Code);
        Assert.Contains("nonsense", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("99999999999999")]
    public async Task A_count_that_is_none_is_named_with_its_option(string count)
    {
        var run = await RunAsync("logs", "-n", count);

        Assert.Equal(64, run.Code);
        Assert.Contains("--lines", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData]
    [InlineData("config")]
    public async Task Without_a_command_there_is_help_and_the_exit_code_of_a_wrong_use(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.Code);
        Assert.Contains("Commands:", run.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("status")]
    [InlineData("status", "--json")]
    [InlineData("update")]
    public async Task Without_an_agent_there_is_a_sentence_and_an_exit_code_of_its_own(params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--runtime-dir", _folder.FullName]);

        Assert.Equal(
            new Finished(3, "", $"ragagent: No agent runs here: nobody answers on {_folder.FullName}/control.sock. Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it does not stay.\n"),
            run);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("run", "--runtime-dir")]
    [InlineData("run", "--state-dir")]
    [InlineData("status", "--runtime-dir")]
    public async Task An_empty_directory_is_a_wrong_use(string command, string option)
    {
        var run = await RunAsync(command, option, "");

        Assert.Equal(64, run.Code);
        Assert.StartsWith($"{option} must name a directory, but is empty.\n", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("run", 78)]
    [InlineData("status", 3)]
    [InlineData("update", 3)]
    public async Task A_directory_too_long_for_a_socket_is_told(string command, int code)
    {
        var longest = Path.Combine(_folder.FullName, new string('d', 100));

        var run = await RunAsync([command, .. command == "run" ? ["--config", Write("""{ "image": "app" }""")] : Array.Empty<string>(), "--runtime-dir", longest]);

        Assert.Equal((code, ""), (run.Code, run.Output));
        Assert.Equal($"ragagent: The control socket can't be {longest}/control.sock: that name has {longest.Length + 13} bytes, and the longest that a socket can have is 107. Give --runtime-dir a shorter path.\n", run.Error);
        Assert.False(Directory.Exists(longest));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_relative_directory_is_seen_from_the_working_directory()
    {
        var run = await RunAsync("status", "--runtime-dir", "here");

        Assert.StartsWith($"ragagent: No agent runs here: nobody answers on {_folder.FullName}/here/control.sock. ", run.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_runtime_directory_of_another_agent_is_refused_before_anything_is_touched()
    {
        using var other = new ControlAddress(_folder.FullName);
        other.Claim();
        await File.WriteAllTextAsync(other.Socket, "the other's", TestContext.Current.CancellationToken);

        var run = await RunAsync("run", "--config", WriteRunnable(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(
            new Finished(75, "", $"ragagent: The runtime directory {_folder.FullName} belongs to another RagAgent that runs on this machine. " +
                $"Give this one a directory of its own with --runtime-dir; 'ragagent status --runtime-dir {_folder.FullName}' shows the other one.\n"),
            run);
        Assert.Equal("the other's", await File.ReadAllTextAsync(other.Socket, TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Path.Combine(_folder.FullName, "state")));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_runtime_directory_that_can_not_be_made_is_told_and_nothing_else_is()
    {
        var run = await RunAsync("run", "--config", WriteRunnable(), "--runtime-dir", "/proc/x", "--state-dir", "state");

        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.Matches("^ragagent: The control socket /proc/x/control.sock can't be made: [^\n]+\n$", run.Error);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_start_that_fails_half_way_is_told_in_our_words_only()
    {
        Directory.CreateDirectory(RuntimeDirectory.Socket(_folder.FullName));

        var run = await RunAsync("run", "--config", WriteRunnable(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(1, run.Code);
        Assert.Matches("^ragagent: The control socket [^\n]+/control.sock can't be made: [^\n]+\n$", run.Error);
        Assert.DoesNotContain("Host", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", run.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_port_that_is_taken_is_told_in_our_words_only()
    {
        using var taken = new TcpListener(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var agent = Start("run", "--config", WriteRunnable(port), "--runtime-dir", ".", "--state-dir", "state");

        var before = new List<string>();
        while (await agent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains($"Port {port}, where visitors come in, is taken by another program.", StringComparison.Ordinal))
        {
            before.Add(line);
        }
        await SignalAsync(agent, "TERM");
        var after = await agent.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, agent.ExitCode);
        Assert.DoesNotContain("Host", string.Join('\n', before) + after, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", after, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_agent_that_ends_under_an_update_is_said_to_have_ended()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        var agent = Start("run", "--config", WriteRunnable(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port), "--runtime-dir", ".", "--state-dir", "state");
        await UntilAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        var told = await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(agent, "TERM");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("Docker Engine is being asked what runs.", told);
        Assert.Equal(
            (3, "ragagent: the agent ended while it was asked. Ask again; if it does not come back, see 'journalctl -u ragagent'.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_update_goes_on_when_it_is_not_waited_for_any_more()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        Start("run", "--config", WriteRunnable(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port), "--runtime-dir", ".", "--state-dir", "state");
        await UntilAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(update, "INT");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            (1, "ragagent: the end of the update is not waited for any more. It goes on; 'ragagent status' shows it.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
        Assert.Contains("request   under way", (await RunAsync("status", "--runtime-dir", ".")).Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_reload_says_what_came_of_it()
    {
        var file = WriteRunnable();
        var agent = Start("run", "--config", file, "--runtime-dir", ".", "--state-dir", "state");
        var log = new List<string>();
        await UntilAsync(agent, log, "The front door is open");

        await SignalAsync(agent, "HUP");
        await UntilAsync(agent, log, "info  The configuration was read again; nothing in it has changed.");
        var unchanged = log.Count;

        File.AppendAllText(file, "// another comment");
        await SignalAsync(agent, "HUP");
        await UntilAsync(agent, log, "info  The configuration was read again and has changed: the agent begins anew with it. The app goes on; open connections are closed.");
        var changed = log.Count;
        await UntilAsync(agent, log, "The front door is open");

        File.WriteAllText(file, "{\n \"imgae\": 1 }");
        await SignalAsync(agent, "HUP");
        await UntilAsync(agent, log, $"error {file}:2:2: imgae: unknown key; did you mean 'image'?");
        await UntilAsync(agent, log, "error The configuration was read again and can't be used; the configuration in use is kept.");

        await SignalAsync(agent, "TERM");
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, agent.ExitCode);
        Assert.DoesNotContain(log[1..unchanged], line => line.Contains("The front door is open", StringComparison.Ordinal));
        Assert.Single(log[changed..], line => line.Contains("The front door is open", StringComparison.Ordinal));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_can_not_even_be_asked_is_a_failed_check_and_the_others_go_on()
    {
        var run = await RunAsync(["doctor", "--json", .. NothingThatCanBeAsked()]);

        Assert.Equal((1, ""), (run.Code, run.Error));
        var found = JsonNode.Parse(run.Output)!["checks"]!.AsArray().ToDictionary(check => (string)check!["name"]!, check => ((string?)check!["finding"], (string?)check["code"]));
        Assert.Equal(("failed", "engine-host"), found["engine"]);
        Assert.Equal(("failed", "control-socket-name"), found["app"]);
        Assert.Equal(("ok", null), found["port"]);
        Assert.Equal(("skipped", null), found["secrets"]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_bundle_tells_what_can_not_even_be_asked_and_has_the_rest()
    {
        var run = await RunAsync(["support", "--output", "bundle.tar.gz", .. NothingThatCanBeAsked()]);

        Assert.Equal((0, ""), (run.Code, run.Error));
        var texts = new Dictionary<string, string>();
        await using var tar = new TarReader(new GZipStream(File.OpenRead(Path.Combine(_folder.FullName, "bundle.tar.gz")), CompressionMode.Decompress));
        while (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken) is { } entry)
        {
            using var reader = new StreamReader(entry.DataStream ?? Stream.Null);
            texts.Add(Path.GetFileName(entry.Name), await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        Assert.Contains("\"engine-host\"", texts["doctor.json"], StringComparison.Ordinal);
        Assert.StartsWith("The control socket can't be ", texts["status.json"], StringComparison.Ordinal);
        Assert.Contains("\"image\"", texts["config.json"], StringComparison.Ordinal);
        Assert.Contains("resolv.conf.txt", texts.Keys);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_log_that_is_followed_ends_with_the_command()
    {
        var journalctl = Path.Combine(_folder.FullName, "journalctl");
        await File.WriteAllTextAsync(journalctl, "#!/bin/sh\necho follows\nexec tail -f /dev/null\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(journalctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _environment["PATH"] = $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}";
        var logs = Start("logs", "-f");
        Assert.Equal("follows", await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await SignalAsync(logs, "TERM");

        Assert.Equal("", await logs.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));   // both have let go of it
        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, logs.ExitCode);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Help_names_every_command()
    {
        var run = await RunAsync("--help");

        Assert.Equal(0, run.Code);
        Assert.All(["run", "status", "update", "config"], command => Assert.Contains($"\n  {command}", run.Output, StringComparison.Ordinal));
    }

    /// <summary>An engine that is not on this machine, a control socket that can't be, and nobody who is AWS.</summary>
    private string[] NothingThatCanBeAsked()
    {
        _environment["DOCKER_HOST"] = "tcp://127.0.0.1:1";
        _environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1";
        (_environment["AWS_REGION"], _environment["AWS_ACCESS_KEY_ID"], _environment["AWS_SECRET_ACCESS_KEY"]) = ("eu-central-1", "none", "none");
        return ["--config", WriteRunnable(), "--runtime-dir", Path.Combine(_folder.FullName, new string('d', 100)), "--state-dir", "state"];
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder.FullName, "ragagent.json");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>One that an agent can begin with, and go on with: there is no engine, and nobody who has its container.</summary>
    private string WriteRunnable(int? port = null, int registry = 1) =>
        Write($$"""{ "image": "localhost:{{registry}}/app", "container": { "name": "{{_folder.Name}}" }, "listen": { "http": {{port ?? FreePort.Take()}} } }""");

    private static async Task SignalAsync(Process agent, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{agent.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task UntilAnswersAsync()
    {
        using var client = new ControlClient(_folder.FullName);
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

    private static async Task UntilAsync(Process agent, List<string> log, string told)
    {
        while (log.LastOrDefault()?.Contains(told, StringComparison.Ordinal) != true)
        {
            log.Add(await agent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException($"It ended before '{told}':\n{string.Join('\n', log)}"));
        }
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "ragagent"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.FullName,
        };
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment["DOCKER_HOST"] = $"unix://{EngineSocket}";
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment.Remove("JOURNAL_STREAM");
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        _started.Add(process);
        return process;
    }

    private async Task<Finished> RunAsync(params string[] arguments)
    {
        var stop = TestContext.Current.CancellationToken;
        var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var error = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        return new Finished(process.ExitCode, await output, await error);
    }

    private sealed record Finished(int Code, string Output, string Error);
}
