using RagAgent.Cli;
using RagAgent.Cli.Commands;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.Checks;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary>The command line as seen from a shell.</summary>
public sealed class CommandLineTests : ProgramTestBase
{
    // The runtime prints it first on a terminal.
    private const string KeypadOn = "\x1b[?1h\x1b=";

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Version_option_prints_the_version() =>
        Assert.Equal(new ProgramResult(0, $"ragagent {AgentVersion.Short}\n", ""), await RunAsync("--version"));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Config_check_accepts_a_valid_file()
    {
        var file = WriteConfig("""{ "image": "app" }""");

        Assert.Equal(new ProgramResult(0, $"{file} is valid.\n", ""), await RunAsync("config", "check", file));
        Assert.Equal(new ProgramResult(0, $"{file} is valid.\n", ""), await RunAsync("config", "check", "--config", file));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("config", "check")]
    [InlineData("run", "--config")]
    public async Task Each_configuration_error_is_on_its_own_line_and_the_exit_code_prevents_a_restart(string command, string option)
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
    public async Task Config_check_reports_a_missing_file()
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
    public async Task An_unknown_option_or_command_is_named_in_the_error(params string[] arguments)
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
    public async Task Wrong_usage_prints_one_sentence_and_where_to_find_help(string arguments, string sentence, string command) =>
        Assert.Equal(new ProgramResult(64, "", $"ragagent: {sentence}\nSee '{command} --help'.\n"), await RunAsync(arguments.Split(' ')));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Help_shows_optional_arguments_in_brackets()
    {
        var run = await RunAsync("config", "--help");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("\n  check [FILE]  ", run.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("99999999999999")]
    public async Task An_invalid_number_is_reported_with_its_option(string count)
    {
        var run = await RunAsync("logs", "-n", count);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("--lines", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData]
    [InlineData("config")]
    public async Task A_missing_command_prints_help_and_has_the_exit_code_of_wrong_usage(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("Commands:", run.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("status")]
    [InlineData("status", "--json")]
    [InlineData("update")]
    public async Task Commands_without_a_running_agent_print_one_sentence_and_have_their_own_exit_code(params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--runtime-dir", Folder.FullName]);

        Assert.Equal(
            new ProgramResult(
                3,
                "",
                $"ragagent: No agent is running here: nothing answers on {Folder.FullName}/control.sock. "
                + "Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it stops again.\n"),
            run);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("run", "--runtime-dir")]
    [InlineData("run", "--state-dir")]
    [InlineData("status", "--runtime-dir")]
    public async Task An_empty_directory_option_is_wrong_usage(string command, string option)
    {
        var run = await RunAsync(command, option, "");

        Assert.Equal(64, run.ExitCode);
        Assert.StartsWith($"ragagent: {option} must name a directory, but is empty.\n", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("run", 78)]
    [InlineData("status", 3)]
    [InlineData("update", 3)]
    public async Task A_runtime_directory_too_long_for_a_socket_is_reported(string command, int code)
    {
        var longest = Path.Combine(Folder.FullName, new string('d', 100));

        string[] config = command == "run" ? ["--config", WriteConfig("""{ "image": "app" }""")] : [];
        var run = await RunAsync([command, .. config, "--runtime-dir", longest]);

        Assert.Equal((code, ""), (run.ExitCode, run.Output));
        Assert.Equal(
            $"ragagent: The control socket can't be {longest}/control.sock: the path has {longest.Length + 13} bytes, "
            + "and a socket's path can have at most 107. Give --runtime-dir a shorter path.\n",
            run.Error);
        Assert.False(Directory.Exists(longest));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_relative_directory_is_relative_to_the_working_directory()
    {
        var run = await RunAsync("status", "--runtime-dir", "here");

        Assert.StartsWith($"ragagent: No agent is running here: nothing answers on {Folder.FullName}/here/control.sock. ", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("config check ragagent.json")]
    public async Task A_failed_write_to_standard_output_is_reported_in_one_sentence(string arguments)
    {
        WriteConfig("""{ "image": "app" }""");

        var run = await RunInShellAsync($"\"$0\" {arguments} >/dev/full");

        Assert.Equal(new ProgramResult(1, "", "ragagent: No space left on device. The output may be incomplete.\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task If_standard_error_fails_too_only_the_exit_code_remains() =>
        Assert.Equal(new ProgramResult(1, "", ""), await RunInShellAsync("\"$0\" --version >/dev/full 2>/dev/full"));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_support_bundle_that_can_not_be_written_is_reported_by_its_final_name()
    {
        var run = await RunAsync(["support", "--output", "missing/x.tgz", .. ArgumentsWithNothingReachable()]);

        var error = $"ragagent: {Folder.FullName}/missing/x.tgz can't be written: There is no folder {Folder.FullName}/missing. "
            + "Choose another file with --output.\n";
        Assert.Equal(new ProgramResult(1, "", error), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Lines_for_a_terminal_are_wrapped_between_words()
    {
        var arguments = string.Join(' ', ArgumentsWithNothingReachable());

        var run = await RunInShellAsync($"script --quiet --return --command \"stty columns 50; '$0' doctor {arguments}\" /dev/null");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("FAILED  engine", run.Output, StringComparison.Ordinal);
        var lines = run.Output.Replace(KeypadOn, "", StringComparison.Ordinal).Split("\r\n");
        Assert.DoesNotContain(lines, line => line.Length > 50 && line[20..].Contains(' ', StringComparison.Ordinal));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Ctrl_D_cancels_the_password_prompt()
    {
        var terminal = StartAtTerminal("password");
        var output = "";
        while (!output.EndsWith("Password: ", StringComparison.Ordinal))
        {
            output += (char)terminal.StandardOutput.Read();
        }
        var rest = terminal.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!rest.IsCompleted)
        {
            // Repeated, because the terminal handles the key itself until the program reads from it.
            try
            {
                await terminal.StandardInput.WriteAsync("\x04");
                await terminal.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
            }
            catch (IOException)
            {
                break;   // The program ended after an earlier key, before its output was read to the end.
            }
            var pause = Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            await Task.WhenAny(rest, pause);
        }
        await terminal.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((1, ""), (terminal.ExitCode, (await rest).Trim()));
    }

    [Fact]
    public async Task Denied_access_has_another_exit_code_than_a_missing_agent()
    {
        var denied = new ProblemException(new Problem(ProblemCatalog.ControlDenied, "Access denied.", "Use sudo."));

        Assert.Equal(77, await AgentConnection.UseAsync(Folder.FullName, _ => throw denied));
    }

    [Fact]
    public void Notes_of_the_doctor_do_not_change_its_exit_code()
    {
        Assert.Equal(CheckOutcome.Ok, DoctorCommand.Worst([CheckOutcome.Ok, CheckOutcome.Skipped, CheckOutcome.Note]));
        Assert.Equal(CheckOutcome.Warning, DoctorCommand.Worst([CheckOutcome.Note, CheckOutcome.Warning, CheckOutcome.Ok]));
        Assert.Equal(CheckOutcome.Failed, DoctorCommand.Worst([CheckOutcome.Failed, CheckOutcome.Warning]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Logs_of_the_app_are_shown_even_if_the_configuration_is_invalid()
    {
        var journalctl = Path.Combine(Folder.FullName, "journalctl");
        await File.WriteAllTextAsync(journalctl, "#!/bin/sh\necho \"$@\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(journalctl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment["PATH"] = $"{Folder.FullName}:{System.Environment.GetEnvironmentVariable("PATH")}";

        var run = await RunAsync("logs", "--app", "--config", "missing.json");

        Assert.Equal((0, "--unit ragagent.service --lines 100 --no-pager --identifier ragstream\n"), (run.ExitCode, run.Output));
        Assert.EndsWith(". Showing lines of the container 'ragstream'.\n", run.Error, StringComparison.Ordinal);

        WriteConfig("""{ "image": "app", "acess": {} }""");
        var error = (await RunAsync("logs", "--app", "--config", "ragagent.json")).Error;
        Assert.EndsWith("did you mean 'access'? Showing lines of the container 'ragstream'.\n", error, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Help_names_every_command()
    {
        var run = await RunAsync("--help");

        Assert.Equal(0, run.ExitCode);
        Assert.All(["run", "status", "update", "config"], command => Assert.Contains($"\n  {command}", run.Output, StringComparison.Ordinal));
    }
}
