using RagAgent.Common;

namespace RagAgent.Cli;

/// <summary>Handles failed writes to standard output, for example to a full disk.</summary>
internal static class StandardOutput
{
    /// <param name="text">Complete lines.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> WriteAsync(string text)
    {
        try
        {
            await Console.Out.WriteAsync(text);
            return ExitCodes.Ok;
        }
        catch (IOException exception)
        {
            return await ReportWriteFailureAsync(exception);
        }
    }

    /// <returns>The exit code.</returns>
    public static async Task<int> ReportWriteFailureAsync(IOException exception)
    {
        try
        {
            await Console.Error.WriteLineAsync($"ragagent: {ExceptionMapping.DescribeCause(exception)}. The output may be incomplete.");
        }
        catch (IOException)
        {
            // Standard error fails too, so only the exit code can report it.
            return ExitCodes.Failed;
        }
        return ExitCodes.Failed;
    }
}
