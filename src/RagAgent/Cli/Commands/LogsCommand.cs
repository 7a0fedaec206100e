using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using RagAgent.Configuration;
using RagAgent.Configuration.Errors;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent logs</c>: the journal's lines of the agent, of the app, or both.</summary>
internal static class LogsCommand
{
    private const string ServiceUnit = "ragagent.service";

    public static Command Create()
    {
        var agent = new Option<bool>("--agent") { Description = "The agent's lines only." };
        var app = new Option<bool>("--app") { Description = "The app's lines only." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is written from now on, until Ctrl-C." };
        var lines = LinesOption();
        var boot = new Option<bool>("--boot", "-b") { Description = "Of this boot only." };
        var explain = new Option<bool>("--explain", "-x") { Description = "With what each line means and what to do, below it." };
        var configFile = Options.ConfigFile();
        var command = new Command("logs", "Show the last lines of the agent and the app from the journal.") { agent, app, follow, lines, boot, explain, configFile };
        command.SetAction((parsed, stopping) => ShowAsync(
            JournalctlArguments(parsed.GetValue(agent), parsed.GetValue(app), parsed.GetValue(follow), parsed.GetValue(lines), parsed.GetValue(boot), parsed.GetValue(explain),
                () => ContainerName(parsed.GetValue(configFile)!)), stopping));
        return command;
    }

    private static Option<int> LinesOption() => new("--lines", "-n")
    {
        Description = "So many of the last lines.",
        HelpName = "COUNT",
        DefaultValueFactory = _ => 100,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                result.AddError($"--lines must be a number of lines, from 0 to {int.MaxValue}, but is '{text}'.");
            }
            return count;
        },
    };

    /// <summary>What journalctl is asked for.</summary>
    public static string[] JournalctlArguments(bool agent, bool app, bool follow, int lines, bool boot, bool explain, Func<string> container)
    {
        // Both is the same as neither.
        string[] identifier = agent == app ? [] : ["--identifier", agent ? "ragagent" : container()];
        return ["--unit", ServiceUnit, "--lines", lines.ToString(CultureInfo.InvariantCulture), "--no-pager", .. identifier, .. follow ? ["--follow"] : Array.Empty<string>(), .. boot ? ["--boot"] : Array.Empty<string>(), .. explain ? ["--catalog"] : Array.Empty<string>()];
    }

    /// <summary>When the file can't be used, the default, which is said: the log of before is what one looks for then.</summary>
    private static string ContainerName(string configFile)
    {
        var read = ConfigReader.ReadFile(configFile);
        var name = (read.Config?.Container ?? new ContainerConfig()).Name;
        if (read.Config is null)
        {
            Console.Error.WriteLine($"ragagent: {ErrorMessages.EndSentence(read.Errors[0].ToString())} The app's lines are looked for under the name '{name}'.");
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
                // It may have noticed first that nobody reads any more, and calls that a failure.
                return OutputPipeMonitor.IsReaderGone() ? ExitCodes.Ok : journal.ExitCode;
            }
            catch (OperationCanceledException)
            {
                // A signal to us alone does not reach it, and one that follows never ends by itself. Without a reader it would notice at its next line.
                journal.Kill();
                return ExitCodes.Ok;
            }
        }
        catch (Win32Exception)
        {
            await Console.Error.WriteLineAsync("ragagent: there is no journalctl here, and the log is in the journal. An agent that somebody runs by hand ('ragagent run') writes to where it was started.");
            return ExitCodes.Failed;
        }
    }
}
