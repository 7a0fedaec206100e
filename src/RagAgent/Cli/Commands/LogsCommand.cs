using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent logs</c>: runs journalctl for the lines of the agent, the app or both.</summary>
internal static class LogsCommand
{
    public static Command Create()
    {
        var agent = new Option<bool>("--agent") { Description = "Only the agent's lines." };
        var app = new Option<bool>("--app") { Description = "Only the app's lines." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Keep printing new lines until Ctrl-C." };
        var lines = LinesOption();
        var boot = new Option<bool>("--boot", "-b") { Description = "Only lines of the current boot." };
        var explain = new Option<bool>("--explain", "-x") { Description = "Explain each line: what it means and what to do." };
        var configFile = Options.ConfigFile();
        var command = new Command("logs", "Show the last lines of the agent and the app from the journal.")
        {
            agent,
            app,
            follow,
            lines,
            boot,
            explain,
            configFile,
        };
        command.SetAction((parsed, stopping) =>
        {
            var arguments = JournalctlArguments(
                parsed.GetValue(agent),
                parsed.GetValue(app),
                parsed.GetValue(follow),
                parsed.GetValue(lines),
                parsed.GetValue(boot),
                parsed.GetValue(explain),
                () => ContainerName(parsed.GetValue(configFile)!));
            return ShowAsync(arguments, stopping);
        });
        return command;
    }

    private static Option<int> LinesOption() => new("--lines", "-n")
    {
        Description = "How many lines to show.",
        HelpName = "COUNT",
        DefaultValueFactory = _ => 100,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                result.AddError($"--lines must be a number from 0 to {int.MaxValue}, but is '{text}'.");
            }
            return count;
        },
    };

    /// <remarks><paramref name="container"/> is called only if the app's lines alone are wanted: its name identifies them.</remarks>
    public static string[] JournalctlArguments(
        bool agent,
        bool app,
        bool follow,
        int lines,
        bool boot,
        bool explain,
        Func<string> container)
    {
        // Both options together mean the same as neither.
        string[] identifier = agent == app ? [] : ["--identifier", agent ? "ragagent" : container()];
        return
        [
            "--unit", Systemctl.ServiceUnit, "--lines", lines.ToString(CultureInfo.InvariantCulture), "--no-pager",
            .. identifier,
            .. follow ? ["--follow"] : Array.Empty<string>(),
            .. boot ? ["--boot"] : Array.Empty<string>(),
            .. explain ? ["--catalog"] : Array.Empty<string>(),
        ];
    }

    /// <summary>If the configuration is invalid, warns and uses the default name: the older lines are still worth reading.</summary>
    private static string ContainerName(string configFile)
    {
        var read = ConfigReader.ReadFile(configFile);
        var name = (read.Config?.Container ?? new ContainerConfig()).Name;
        if (read.Config is null)
        {
            var error = ExceptionMapping.WithPeriod(read.Errors[0].ToString());
            Console.Error.WriteLine($"ragagent: {error} Showing lines of the container '{name}'.");
        }
        return name;
    }

    private static async Task<int> ShowAsync(string[] arguments, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, OutputPipeMonitor.WatchReader());
        try
        {
            using var journal = Process.Start(new ProcessStartInfo("journalctl", arguments) { UseShellExecute = false })!;
            try
            {
                await journal.WaitForExitAsync(end.Token);
                // journalctl reports a failure if it notices first that the reader is gone.
                return OutputPipeMonitor.IsReaderGone() ? ExitCodes.Ok : journal.ExitCode;
            }
            catch (OperationCanceledException)
            {
                // A signal to this process alone does not reach journalctl, which then would follow forever.
                // Without a reader, it would end only at the next line.
                journal.Kill();
                return ExitCodes.Ok;
            }
        }
        catch (Win32Exception)
        {
            await Console.Error.WriteLineAsync(
                "ragagent: journalctl was not found, and the log is in the journal. "
                + "An agent started by hand ('ragagent run') logs to its own terminal.");
            return ExitCodes.Failed;
        }
    }
}
