using RagAgent.Common;
using RagAgent.Control;

namespace RagAgent.Cli;

/// <summary>One conversation with the agent that runs; its failures become a sentence and an exit code.</summary>
internal static class AgentConnection
{
    public static async Task<int> UseAsync(string runtimeDirectory, Func<ControlClient, Task<int>> action)
    {
        try
        {
            using var client = new ControlClient(runtimeDirectory);
            return await action(client);
        }
        catch (ProblemException exception)
        {
            return await ReportAsync(exception.Problem);
        }
        catch (Exception exception) when (exception is HttpRequestException or TimeoutException)
        {
            await Console.Error.WriteLineAsync("ragagent: the agent ended while it was asked. Ask again; if it does not come back, see 'journalctl -u ragagent'.");
            return ExitCodes.NotRunning;
        }
    }

    /// <summary>Says why there is no conversation, to its exit code.</summary>
    public static async Task<int> ReportAsync(Problem problem)
    {
        await Console.Error.WriteLineAsync($"ragagent: {problem}");
        // Whatever else kept the command from the agent: to it, no agent is running.
        return problem.Kind.DependsOn == Dependency.Agent ? problem.Kind.ExitCode : ExitCodes.NotRunning;
    }
}
