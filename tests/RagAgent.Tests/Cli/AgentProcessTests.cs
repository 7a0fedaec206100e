using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>The running program: failed starts, signals, reloads, and agents that exit during a command.</summary>
public sealed class AgentProcessTests : ProgramTestBase
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_runtime_directory_in_use_by_another_agent_is_rejected_before_any_change()
    {
        using var other = new ControlSocketLock(Folder.FullName);
        other.Acquire();
        await File.WriteAllTextAsync(other.SocketPath, "the other's", TestContext.Current.CancellationToken);

        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(
            new ProgramResult(75, "", $"ragagent: Another RagAgent on this machine uses the runtime directory {Folder.FullName}. " +
                $"Give this one its own directory with --runtime-dir; 'ragagent status --runtime-dir {Folder.FullName}' shows the other one.\n"),
            run);
        Assert.Equal("the other's", await File.ReadAllTextAsync(other.SocketPath, TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Path.Combine(Folder.FullName, "state")));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_runtime_directory_that_can_not_be_created_is_the_only_error_reported()
    {
        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", "/proc/x", "--state-dir", "state");

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Matches("^ragagent: The control socket /proc/x/control.sock can't be created: [^\n]+\n$", run.Error);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_start_that_fails_halfway_prints_no_messages_of_the_framework()
    {
        Directory.CreateDirectory(RuntimeDirectory.SocketPath(Folder.FullName));

        var run = await RunAsync("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");

        Assert.Equal(1, run.ExitCode);
        Assert.Matches("^ragagent: The control socket [^\n]+/control.sock can't be created: [^\n]+\n$", run.Error);
        Assert.DoesNotContain("Host", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", run.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_port_in_use_prints_no_messages_of_the_framework()
    {
        using var taken = new TcpListener(IPAddress.IPv6Any, 0) { Server = { DualMode = true } };
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var agent = Start("run", "--config", WriteRunnableConfig(port), "--runtime-dir", ".", "--state-dir", "state");

        var message = $"The front door can't open port {port}: another program uses it.";
        var before = new List<string>();
        while (await agent.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line
            && !line.Contains(message, StringComparison.Ordinal))
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
    public async Task The_update_command_reports_that_the_agent_exited()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        var config = WriteRunnableConfig(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port);
        var agent = Start("run", "--config", config, "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        var firstLine = await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(agent, "TERM");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("Asking Docker Engine what is running.", firstLine);
        Assert.Equal(
            (3, "ragagent: the agent exited before it answered. Try again; if it stays down, see 'journalctl -u ragagent'.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_update_continues_after_its_command_is_interrupted()
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        using var silentRegistry = new TcpListener(IPAddress.Loopback, 0);
        silentRegistry.Start();
        var config = WriteRunnableConfig(registry: ((IPEndPoint)silentRegistry.LocalEndpoint).Port);
        Start("run", "--config", config, "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();
        var update = Start("update", "--runtime-dir", ".");
        await update.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);

        await SignalAsync(update, "TERM");
        await update.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            (1, "ragagent: stopped waiting for the update. It continues in the agent; 'ragagent status' shows it.\n"),
            (update.ExitCode, await update.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)));
        Assert.Contains("request   in progress", (await RunAsync("status", "--runtime-dir", ".")).Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_reload_logs_its_outcome()
    {
        var file = WriteRunnableConfig();
        var agent = Start("run", "--config", file, "--runtime-dir", ".", "--state-dir", "state");
        var log = new List<string>();
        await WaitForLogLineAsync(agent, log, "The front door is open");
        var opened = log.Count;

        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(agent, log, "info  The configuration was read again and has not changed.");
        var unchanged = log.Count;

        File.AppendAllText(file, "// another comment");
        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(
            agent,
            log,
            "info  The configuration was read again and has changed. "
            + "The agent restarts with it; the app keeps running, open connections are closed.");
        var changed = log.Count;
        await WaitForLogLineAsync(agent, log, "The front door is open");

        File.WriteAllText(file, "{\n \"imgae\": 1 }");
        await SignalAsync(agent, "HUP");
        await WaitForLogLineAsync(agent, log, $"error {file}:2:2: imgae: unknown key; did you mean 'image'?");
        await WaitForLogLineAsync(agent, log, "error The configuration was read again and can't be used. The previous one stays in use.");

        await SignalAsync(agent, "TERM");
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, agent.ExitCode);
        Assert.DoesNotContain(log[opened..unchanged], line => line.Contains("The front door is open", StringComparison.Ordinal));
        Assert.Single(log[changed..], line => line.Contains("The front door is open", StringComparison.Ordinal));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_check_of_something_unreachable_fails_and_the_other_checks_continue()
    {
        var run = await RunAsync(["doctor", "--json", .. ArgumentsWithNothingReachable()]);

        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        var found = JsonNode.Parse(run.Output)!["checks"]!.AsArray()
            .ToDictionary(check => (string)check!["name"]!, check => ((string?)check!["finding"], (string?)check["code"]));
        Assert.Equal(("failed", "engine-host"), found["engine"]);
        Assert.Equal(("failed", "control-socket-name"), found["app"]);
        Assert.Equal(("ok", null), found["port"]);
        Assert.Equal(("skipped", null), found["secrets"]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_support_bundle_notes_what_is_unreachable_and_has_the_rest()
    {
        var run = await RunAsync(["support", "--output", "bundle.tar.gz", .. ArgumentsWithNothingReachable()]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var texts = new Dictionary<string, string>();
        var bundle = File.OpenRead(Path.Combine(Folder.FullName, "bundle.tar.gz"));
        await using var tar = new TarReader(new GZipStream(bundle, CompressionMode.Decompress));
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
    public async Task Journalctl_ends_when_the_logs_command_is_terminated()
    {
        InstallFollowingJournalctl();
        var logs = Start("logs", "-f");
        Assert.Equal("follows", await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await SignalAsync(logs, "TERM");

        // The end of the output: both processes have closed it.
        Assert.Equal("", await logs.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, logs.ExitCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Status_watch_ends_when_its_reader_is_gone_even_without_changes()
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
    public async Task A_full_disk_is_not_mistaken_for_the_end_of_the_agent(string arguments)
    {
        using var silentEngine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silentEngine.Bind(new UnixDomainSocketEndPoint(EngineSocket));
        silentEngine.Listen();
        Start("run", "--config", WriteRunnableConfig(), "--runtime-dir", ".", "--state-dir", "state");
        await WaitUntilControlAnswersAsync();

        var run = await RunInShellAsync($"\"$0\" {arguments} --runtime-dir . >/dev/full");

        Assert.Equal(new ProgramResult(1, "", "ragagent: No space left on device. The output may be incomplete.\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Status_watch_without_an_agent_ends_when_its_reader_is_gone()
    {
        var watch = Start("status", "--watch", "--runtime-dir", ".");
        Assert.StartsWith("No agent answers.", await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        watch.StandardOutput.Close();

        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, watch.ExitCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Following_logs_ends_when_the_reader_is_gone()
    {
        InstallFollowingJournalctl();
        var logs = Start("logs", "-f");
        Assert.Equal("follows", await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        logs.StandardOutput.Close();

        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, logs.ExitCode);
    }

    /// <summary>Installs a journalctl that prints one line and then waits forever.</summary>
    private void InstallFollowingJournalctl()
    {
        var journalctl = Path.Combine(Folder.FullName, "journalctl");
        File.WriteAllText(journalctl, "#!/bin/sh\necho follows\nexec tail -f /dev/null\n");
        File.SetUnixFileMode(journalctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment["PATH"] = $"{Folder.FullName}:{System.Environment.GetEnvironmentVariable("PATH")}";
    }
}
