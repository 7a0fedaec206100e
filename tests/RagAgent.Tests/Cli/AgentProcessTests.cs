using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>The program while it runs: a start that fails, signals, a reload, an agent that goes away under a command.</summary>
public sealed class AgentProcessTests : ProgramTestBase
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_runtime_directory_of_another_agent_is_refused_before_anything_is_touched()
    {
        using var other = new ControlSocket(Folder.FullName);
        other.Acquire();
        await File.WriteAllTextAsync(other.SocketPath, "the other's", TestContext.Current.CancellationToken);

        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(
            new ProgramResult(75, "", $"ragagent: The runtime directory {Folder.FullName} belongs to another RagAgent that runs on this machine. " +
                $"Give this one a directory of its own with --runtime-dir; 'ragagent status --runtime-dir {Folder.FullName}' shows the other one.\n"),
            run);
        Assert.Equal("the other's", await File.ReadAllTextAsync(other.SocketPath, TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Path.Combine(Folder.FullName, "state")));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_runtime_directory_that_can_not_be_made_is_told_and_nothing_else_is()
    {
        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", "/proc/x", "--state-dir", "state");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Matches("^ragagent: The control socket /proc/x/control.sock can't be made: [^\n]+\n$", run.Error);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_start_that_fails_half_way_is_told_in_our_words_only()
    {
        Directory.CreateDirectory(RuntimeDirectory.SocketPath(Folder.FullName));

        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(1, run.ExitCode);
        Assert.Matches("^ragagent: The control socket [^\n]+/control.sock can't be made: [^\n]+\n$", run.Error);
        Assert.DoesNotContain("Host", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", run.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_port_that_is_taken_is_told_in_our_words_only()
    {
        using var taken = new TcpListener(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var agent = Start("run", "--config", WriteRunnableConfig(port), "--runtime-dir", ".", "--state-dir", "state");

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

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_agent_that_ends_under_an_update_is_said_to_have_ended()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        var agent = Start("run", "--config", WriteRunnableConfig(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port), "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        var told = await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(agent, "TERM");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("Asking Docker Engine what is running.", told);
        Assert.Equal(
            (3, "ragagent: the agent ended while it was asked. Ask again; if it does not come back, see 'journalctl -u ragagent'.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_update_goes_on_when_it_is_not_waited_for_any_more()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        Start("run", "--config", WriteRunnableConfig(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port), "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(update, "TERM");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            (1, "ragagent: the end of the update is not waited for any more. It goes on; 'ragagent status' shows it.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
        Assert.Contains("request   in progress", (await RunAsync("status", "--runtime-dir", ".")).Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_reload_says_what_came_of_it()
    {
        var file = WriteRunnableConfig();
        var agent = Start("run", "--config", file, "--runtime-dir", ".", "--state-dir", "state");
        var log = new List<string>();
        await WaitForLogLineAsync(agent, log, "The front door is open");

        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(agent, log, "info  The configuration was read again; nothing in it has changed.");
        var unchanged = log.Count;

        File.AppendAllText(file, "// another comment");
        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(agent, log, "info  The configuration was read again and has changed: the agent begins anew with it. The app goes on; open connections are closed.");
        var changed = log.Count;
        await WaitForLogLineAsync(agent, log, "The front door is open");

        File.WriteAllText(file, "{\n \"imgae\": 1 }");
        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(agent, log, $"error {file}:2:2: imgae: unknown key; did you mean 'image'?");
        await WaitForLogLineAsync(agent, log, "error The configuration was read again and can't be used; the configuration in use is kept.");

        await SignalAsync(agent, "TERM");
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, agent.ExitCode);
        Assert.DoesNotContain(log[1..unchanged], line => line.Contains("The front door is open", StringComparison.Ordinal));
        Assert.Single(log[changed..], line => line.Contains("The front door is open", StringComparison.Ordinal));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task What_can_not_even_be_asked_is_a_failed_check_and_the_others_go_on()
    {
        var run = await RunAsync(["doctor", "--json", .. ArgumentsWithNothingReachable()]);

        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        var found = JsonNode.Parse(run.Output)!["checks"]!.AsArray().ToDictionary(check => (string)check!["name"]!, check => ((string?)check!["finding"], (string?)check["code"]));
        Assert.Equal(("failed", "engine-host"), found["engine"]);
        Assert.Equal(("failed", "control-socket-name"), found["app"]);
        Assert.Equal(("ok", null), found["port"]);
        Assert.Equal(("skipped", null), found["secrets"]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_bundle_tells_what_can_not_even_be_asked_and_has_the_rest()
    {
        var run = await RunAsync(["support", "--output", "bundle.tar.gz", .. ArgumentsWithNothingReachable()]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var texts = new Dictionary<string, string>();
        await using var tar = new TarReader(new GZipStream(File.OpenRead(Path.Combine(Folder.FullName, "bundle.tar.gz")), CompressionMode.Decompress));
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

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_log_that_is_followed_ends_with_the_command()
    {
        Follow();
        var logs = Start("logs", "-f");
        Assert.Equal("follows", await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await SignalAsync(logs, "TERM");

        Assert.Equal("", await logs.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));   // both have let go of it
        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, logs.ExitCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_watches_an_agent_that_does_nothing_ends_with_the_reader()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        Start("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();
        var watch = Start("status", "--watch", "--runtime-dir", ".");
        await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        watch.StandardOutput.Close();

        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (watch.ExitCode, await watch.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("status")]
    [InlineData("status --json")]
    [InlineData("status --watch")]
    [InlineData("stop")]
    public async Task A_full_disk_is_not_taken_for_the_end_of_the_agent(string arguments)
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        Start("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();

        var run = await RunInShellAsync($"\"$0\" {arguments} --runtime-dir . >/dev/full");

        Assert.Equal(new ProgramResult(1, "", "ragagent: No space left on device. What there was to say may not have been written whole.\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_waits_for_an_agent_ends_with_the_reader()
    {
        var watch = Start("status", "--watch", "--runtime-dir", ".");
        Assert.StartsWith("No agent answers.", await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        watch.StandardOutput.Close();

        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, watch.ExitCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_log_that_is_followed_ends_with_its_reader()
    {
        Follow();
        var logs = Start("logs", "-f");
        Assert.Equal("follows", await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        logs.StandardOutput.Close();

        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, logs.ExitCode);
    }

    /// <summary>Puts a journal in place that says one line and then waits for ever.</summary>
    private void Follow()
    {
        var journalctl = Path.Combine(Folder.FullName, "journalctl");
        File.WriteAllText(journalctl, "#!/bin/sh\necho follows\nexec tail -f /dev/null\n");
        File.SetUnixFileMode(journalctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment["PATH"] = $"{Folder.FullName}:{System.Environment.GetEnvironmentVariable("PATH")}";
    }
}
