using RagAgent.Common;
using RagAgent.Control;

namespace RagAgent.Cli;

/// <summary>Talks to the running agent. Failures become a message and an exit code.</summary>
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
            await Console.Error.WriteLineAsync(
                "ragagent: the agent exited before it answered. Try again; if it stays down, see 'journalctl -u ragagent'.");
            return ExitCodes.NotRunning;
        }
    }

    /// <summary>Prints why the agent didn't answer.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ReportAsync(Problem problem)
    {
        await Console.Error.WriteLineAsync($"ragagent: {problem}");
        // Whatever else kept the command from the agent: to it, no agent is running.
        return problem.Kind.DependsOn == Dependency.Agent ? problem.Kind.ExitCode : ExitCodes.NotRunning;
    }
}
