using RagAgent.Cli;
using RagAgent.Cli.Commands;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>The command line as the shell sees it: what is understood, what is refused, what is said.</summary>
public sealed class CommandLineTests : ProgramTestBase
{
    // What the runtime begins with at a terminal.
    private const string KeypadOn = "\x1b[?1h\x1b=";

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_version_is_told() => Assert.Equal(new ProgramResult(0, $"ragagent {AgentVersion.Short}\n", ""), await RunAsync("--version"));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_valid_file_is_told_as_such()
    {
        var file = WriteConfig("""{ "image": "app" }""");

        Assert.Equal(new ProgramResult(0, $"{file} is valid.\n", ""), await RunAsync("config", "check", file));
        Assert.Equal(new ProgramResult(0, $"{file} is valid.\n", ""), await RunAsync("config", "check", "--config", file));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("config", "check")]
    [InlineData("run", "--config")]
    public async Task Every_mistake_has_a_line_of_its_own_and_the_exit_code_says_that_a_restart_is_of_no_use(string command, string option)
    {
        var file = WriteConfig("{\n  \"image\": \"App\",\n  \"listen\": { \"http\": \"x\" }\n}");

        var run = await RunAsync(command, option, file);

        Assert.Equal((78, ""), (run.ExitCode, run.Output));
        var lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{file}:2:12: image: must have a repository in lower case", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{file}:3:23: listen.http: ", lines[1], StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_missing_file_is_told_with_one_that_works()
    {
        var run = await RunAsync("config", "check", Path.Combine(Folder.FullName, "missing.json"));

        Assert.Equal(78, run.ExitCode);
        Assert.Contains("there is no such file; create it.", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("--nonsense")]
    [InlineData("nonsense")]
    [InlineData("status", "--nonsense")]
    [InlineData("run", "--nonsense")]
    [InlineData("run", "nonsense")]
    public async Task An_unknown_option_or_command_is_named_and_nothing_is_done(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal((64, ""), (run.ExitCode, run.Output));
        Assert.Contains("nonsense", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("bogus", "Unknown command 'ragagent bogus'.", "ragagent")]
    [InlineData("statsu", "Unknown command 'ragagent statsu'. Did you mean 'status'?", "ragagent")]
    [InlineData("config show", "Unknown command 'ragagent config show'.", "ragagent config")]
    [InlineData("config check a b", "Unexpected argument 'b' of 'ragagent config check'.", "ragagent config check")]
    [InlineData("config check a --config b", "The file is given twice: as FILE and with --config.", "ragagent config check")]
    [InlineData("logs --folow 5", "Unknown option '--folow' of 'ragagent logs'. Did you mean '--follow'?", "ragagent logs")]
    [InlineData("logs -n abc", "--lines must be a number from 0 to 2147483647, but is 'abc'.", "ragagent logs")]
    public async Task A_wrong_use_is_one_sentence_and_the_way_to_the_help(string arguments, string sentence, string command) =>
        Assert.Equal(new ProgramResult(64, "", $"ragagent: {sentence}\nSee '{command} --help'.\n"), await RunAsync(arguments.Split(' ')));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_argument_that_can_be_left_out_is_shown_as_such()
    {
        var run = await RunAsync("config", "--help");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("\n  check [FILE]  ", run.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("99999999999999")]
    public async Task A_count_that_is_none_is_named_with_its_option(string count)
    {
        var run = await RunAsync("logs", "-n", count);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("--lines", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData]
    [InlineData("config")]
    public async Task Without_a_command_there_is_help_and_the_exit_code_of_a_wrong_use(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("Commands:", run.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("status")]
    [InlineData("status", "--json")]
    [InlineData("update")]
    public async Task Without_an_agent_there_is_a_sentence_and_an_exit_code_of_its_own(params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--runtime-dir", Folder.FullName]);

        Assert.Equal(
            new ProgramResult(3, "", $"ragagent: No agent runs here: nobody answers on {Folder.FullName}/control.sock. Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it does not stay.\n"),
            run);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("run", "--runtime-dir")]
    [InlineData("run", "--state-dir")]
    [InlineData("status", "--runtime-dir")]
    public async Task An_empty_directory_is_a_wrong_use(string command, string option)
    {
        var run = await RunAsync(command, option, "");

        Assert.Equal(64, run.ExitCode);
        Assert.StartsWith($"ragagent: {option} must name a directory, but is empty.\n", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("run", 78)]
    [InlineData("status", 3)]
    [InlineData("update", 3)]
    public async Task A_directory_too_long_for_a_socket_is_told(string command, int code)
    {
        var longest = Path.Combine(Folder.FullName, new string('d', 100));

        var run = await RunAsync([command, .. command == "run" ? ["--config", WriteConfig("""{ "image": "app" }""")] : Array.Empty<string>(), "--runtime-dir", longest]);

        Assert.Equal((code, ""), (run.ExitCode, run.Output));
        Assert.Equal($"ragagent: The control socket can't be {longest}/control.sock: that name has {longest.Length + 13} bytes, and the longest that a socket can have is 107. Give --runtime-dir a shorter path.\n", run.Error);
        Assert.False(Directory.Exists(longest));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_relative_directory_is_seen_from_the_working_directory()
    {
        var run = await RunAsync("status", "--runtime-dir", "here");

        Assert.StartsWith($"ragagent: No agent runs here: nobody answers on {Folder.FullName}/here/control.sock. ", run.Error, StringComparison.Ordinal);
    }
    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("config check ragagent.json")]
    public async Task What_can_not_be_written_is_told_in_one_sentence(string arguments)
    {
        WriteConfig("""{ "image": "app" }""");

        var run = await RunInShellAsync($"\"$0\" {arguments} >/dev/full");

        Assert.Equal(new ProgramResult(1, "", "ragagent: No space left on device. The output may be incomplete.\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Where_not_even_that_can_be_told_there_is_the_exit_code() =>
        Assert.Equal(new ProgramResult(1, "", ""), await RunInShellAsync("\"$0\" --version >/dev/full 2>/dev/full"));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_archive_that_can_not_be_written_is_told_by_its_own_name()
    {
        var run = await RunAsync(["support", "--output", "missing/x.tgz", .. ArgumentsWithNothingReachable()]);

        Assert.Equal(new ProgramResult(1, "", $"ragagent: {Folder.FullName}/missing/x.tgz can't be written: There is no folder {Folder.FullName}/missing. Choose another file with --output.\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_terminal_gets_its_lines_broken_between_words()
    {
        var run = await RunInShellAsync($"script --quiet --return --command \"stty columns 50; '$0' doctor {string.Join(' ', ArgumentsWithNothingReachable())}\" /dev/null");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("FAILED  engine", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(run.Output.Replace(KeypadOn, "", StringComparison.Ordinal).Split("\r\n"), line => line.Length > 50 && line[20..].Contains(' ', StringComparison.Ordinal));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_password_is_given_up_by_the_end_of_the_input()
    {
        var terminal = StartAtTerminal("password");
        var told = "";
        while (!told.EndsWith("Password: ", StringComparison.Ordinal))
        {
            told += (char)terminal.StandardOutput.Read();
        }
        var rest = terminal.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!rest.IsCompleted)
        {
            // Again: before the program reads its terminal, the key is the terminal's own.
            await terminal.StandardInput.WriteAsync("\x04");
            await terminal.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            await Task.WhenAny(rest, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken));
        }
        await terminal.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, ""), (terminal.ExitCode, (await rest).Trim()));
    }

    [Fact]
    public async Task Who_may_not_talk_to_the_agent_is_told_apart_from_an_agent_that_is_not_there()
    {
        var denied = new ProblemException(new Problem(ProblemCatalog.ControlDenied, "It may not be asked.", "Use sudo."));

        Assert.Equal(77, await AgentConnection.UseAsync(Folder.FullName, _ => throw denied));
    }

    [Fact]
    public void To_a_script_the_doctors_notes_are_no_lack()
    {
        Assert.Equal(CheckOutcome.Ok, DoctorCommand.Worst([CheckOutcome.Ok, CheckOutcome.Skipped, CheckOutcome.Note]));
        Assert.Equal(CheckOutcome.Warning, DoctorCommand.Worst([CheckOutcome.Note, CheckOutcome.Warning, CheckOutcome.Ok]));
        Assert.Equal(CheckOutcome.Failed, DoctorCommand.Worst([CheckOutcome.Failed, CheckOutcome.Warning]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_apps_log_is_looked_for_also_when_the_configuration_can_not_be_read()
    {
        var journalctl = Path.Combine(Folder.FullName, "journalctl");
        await File.WriteAllTextAsync(journalctl, "#!/bin/sh\necho \"$@\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(journalctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment["PATH"] = $"{Folder.FullName}:{System.Environment.GetEnvironmentVariable("PATH")}";

        var run = await RunAsync("logs", "--app", "--config", "missing.json");

        Assert.Equal((0, "--unit ragagent.service --lines 100 --no-pager --identifier ragstream\n"), (run.ExitCode, run.Output));
        Assert.EndsWith(". Showing lines of the container 'ragstream'.\n", run.Error, StringComparison.Ordinal);

        WriteConfig("""{ "image": "app", "acess": {} }""");
        Assert.EndsWith("did you mean 'access'? Showing lines of the container 'ragstream'.\n", (await RunAsync("logs", "--app", "--config", "ragagent.json")).Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Help_names_every_command()
    {
        var run = await RunAsync("--help");

        Assert.Equal(0, run.ExitCode);
        Assert.All(["run", "status", "update", "config"], command => Assert.Contains($"\n  {command}", run.Output, StringComparison.Ordinal));
    }
}
