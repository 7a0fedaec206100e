using System.CommandLine;
using System.Text.Json;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Reporting;

namespace RagAgent.Cli.Commands;

/// <summary><c>ragagent status</c>: what serves, what is in progress, what is wrong.</summary>
internal static class StatusCommand
{
    private const string ClearScreen = "\x1b[H\x1b[2J";
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var runtimeDirectory = Options.RuntimeDirectory();
        var json = new Option<bool>("--json") { Description = "Print JSON, for scripts. Keys are never renamed or removed." };
        var watch = new Option<bool>("--watch", "-w")
        {
            Description = "Print again at each change, until Ctrl-C. With --json: one line per change.",
        };
        var command = new Command("status", "Show what serves, what is in progress and what is wrong. Exit code 0: the app serves.")
        {
            json,
            watch,
            runtimeDirectory,
        };
        command.SetAction((parsed, stopping) => parsed.GetValue(watch)
            ? WatchAsync(parsed.GetValue(runtimeDirectory)!, parsed.GetValue(json), stopping)
            : AgentConnection.UseAsync(parsed.GetValue(runtimeDirectory)!, async agent =>
            {
                var status = await agent.StatusAsync(null, stopping);
                Console.Out.Write(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(status, ControlJson.Plain.StatusDocument) + "\n"
                    : StatusText.Format(status, LineWrap.TerminalWidth));
                var isLockedOut = status.Problems.Any(problem => problem.Code == ProblemCatalog.AccessClosed.Code);
                return status is { App.State: "serving", FrontDoor.Open: true } && !isLockedOut ? ExitCodes.Ok : ExitCodes.Failed;
            }));
        return command;
    }

    /// <summary>Keeps watching when the agent ends, and shows the next one when it starts.</summary>
    private static async Task<int> WatchAsync(string runtimeDirectory, bool json, CancellationToken stopping)
    {
        var screen = new StatusScreen(json);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, OutputPipeMonitor.WatchReader());
        try
        {
            using var agent = new ControlClient(runtimeDirectory);
            long? lastRevision = null;
            while (true)
            {
                try
                {
                    var status = await agent.StatusAsync(lastRevision, end.Token);
                    lastRevision = status.Revision;
                    screen.Show(status);
                }
                catch (Exception exception) when (IsAgentGone(exception))
                {
                    lastRevision = null;
                    screen.ShowNoAgent();
                    await Task.Delay(RetryDelay, TimeProvider.System, end.Token);
                }
            }
        }
        catch (ProblemException exception)
        {
            return await AgentConnection.ReportAsync(exception.Problem);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }
    }

    private static bool IsAgentGone(Exception exception) =>
        exception is HttpRequestException
        || (exception is ProblemException { Problem.Kind: var kind } && kind == ProblemCatalog.NotRunning);

    /// <summary>Prints only changes.</summary>
    private sealed class StatusScreen(bool json)
    {
        private string? _lastText;

        public void Show(StatusDocument status)
        {
            // The revision also grows when nothing visible has changed.
            var text = json
                ? JsonSerializer.Serialize(status with { Revision = 0 }, CompactJson.Plain.StatusDocument)
                : StatusText.Format(status, LineWrap.TerminalWidth);
            if (text != _lastText)
            {
                _lastText = text;
                Console.Out.Write((json, Console.IsOutputRedirected) switch
                {
                    (true, _) => JsonSerializer.Serialize(status, CompactJson.Plain.StatusDocument) + "\n",
                    (false, true) => text + "\n",
                    (false, false) => ClearScreen + text,
                });
            }
        }

        public void ShowNoAgent()
        {
            const string NoAgent = "No agent answers. Waiting for one; 'journalctl -u ragagent' shows what happened to the last one.\n";
            if (!json && _lastText != NoAgent)
            {
                _lastText = NoAgent;
                Console.Out.Write(Console.IsOutputRedirected ? NoAgent : ClearScreen + NoAgent);
            }
        }
    }
}
