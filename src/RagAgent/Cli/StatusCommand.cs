using System.CommandLine;
using System.Text.Json;
using RagAgent.Control;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Cli;

/// <summary><c>ragagent status</c>: what serves, what is under way, what is wrong.</summary>
internal static class StatusCommand
{
    private const string Clear = "\x1b[H\x1b[2J";
    private static readonly TimeSpan BeforeAskingAgain = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var directory = Options.RuntimeDirectory();
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts; keys are only ever added." };
        var watch = new Option<bool>("--watch", "-w") { Description = "Again whenever it changes, until Ctrl-C; with --json a line for each change." };
        var command = new Command("status", "Show what serves, what is under way and what is wrong. Exit code 0: the app serves.") { json, watch, directory };
        command.SetAction((parsed, stopping) => parsed.GetValue(watch)
            ? WatchAsync(parsed.GetValue(directory)!, parsed.GetValue(json), stopping)
            : AgentCall.DoAsync(parsed.GetValue(directory)!, async agent =>
            {
                var status = await agent.StatusAsync(null, stopping);
                Console.Out.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(status, ControlJson.Plain.StatusDocument) + "\n" : StatusText.Of(status, LineWrap.Width));
                var isShut = status.Problems.Any(problem => problem.Code == PasswordHashProvider.ClosedCode);
                return status is { App.State: "serving", FrontDoor.Open: true } && !isShut ? ExitCodes.Ok : ExitCodes.Failed;
            }));
        return command;
    }

    /// <summary>Also across the ends of agents: who watches wants to see the next one come.</summary>
    private static async Task<int> WatchAsync(string directory, bool json, CancellationToken stopping)
    {
        var screen = new Screen(json);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, OutputReader.UntilGone());
        try
        {
            using var agent = new ControlClient(directory);
            long? seen = null;
            while (true)
            {
                try
                {
                    var status = await agent.StatusAsync(seen, end.Token);
                    seen = status.Revision;
                    screen.Show(status);
                }
                catch (Exception e) when (e is HttpRequestException or ProblemException { Problem.Code: "not-running" })
                {
                    seen = null;
                    screen.ShowNobody();
                    await Task.Delay(BeforeAskingAgain, TimeProvider.System, end.Token);
                }
            }
        }
        catch (ProblemException e)
        {
            return await AgentCall.RefuseAsync(e.Problem);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return ExitCodes.Ok;
        }
    }

    /// <summary>Shows what differs from what it showed last.</summary>
    private sealed class Screen(bool json)
    {
        private string? _shown;

        public void Show(StatusDocument status)
        {
            // That time has passed is a revision, and nothing to see.
            var text = json ? JsonSerializer.Serialize(status with { Revision = 0 }, CompactJson.Plain.StatusDocument) : StatusText.Of(status, LineWrap.Width);
            if (text != _shown)
            {
                _shown = text;
                Console.Out.Write(json ? JsonSerializer.Serialize(status, CompactJson.Plain.StatusDocument) + "\n" : Console.IsOutputRedirected ? text + "\n" : Clear + text);
            }
        }

        public void ShowNobody()
        {
            const string Nobody = "No agent answers. It is waited for; 'journalctl -u ragagent' says what became of the last one.\n";
            if (!json && _shown != Nobody)
            {
                _shown = Nobody;
                Console.Out.Write(Console.IsOutputRedirected ? Nobody : Clear + Nobody);
            }
        }
    }
}
