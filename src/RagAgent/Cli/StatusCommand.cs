using System.CommandLine;
using System.Text.Json;
using RagAgent.Control;

namespace RagAgent.Cli;

/// <summary><c>ragagent status</c>: what serves, what is under way, what is wrong.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var directory = Options.RuntimeDirectory();
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts; keys are only ever added." };
        var command = new Command("status", "Show what serves, what is under way and what is wrong. Exit code 0: the app serves.") { json, directory };
        command.SetAction((parsed, stopping) => AgentCall.DoAsync(parsed.GetValue(directory)!, async agent =>
        {
            var status = await agent.StatusAsync(null, stopping);
            Console.Out.Write(parsed.GetValue(json) ? JsonSerializer.Serialize(status, ControlJson.Default.StatusDocument) + "\n" : StatusText.Of(status));
            return status is { App.State: "serving", FrontDoor.Open: true } ? ExitCodes.Ok : ExitCodes.Failed;
        }));
        return command;
    }
}
