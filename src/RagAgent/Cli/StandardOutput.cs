using RagAgent.Common;

namespace RagAgent.Cli;

/// <summary>Standard output that takes no more, as on a full disk.</summary>
internal static class StandardOutput
{
    /// <summary>Writes an answer to standard output, to its exit code.</summary>
    /// <param name="text">With its line ends.</param>
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

    /// <summary>Says that standard output takes no more, to its exit code.</summary>
    public static async Task<int> ReportWriteFailureAsync(IOException exception)
    {
        try
        {
            await Console.Error.WriteLineAsync($"ragagent: {ExceptionMapping.DescribeCause(exception)}. What there was to say may not have been written whole.");
        }
        catch (IOException)
        {
            // Standard error takes no more either: the exit code is all that is left to say it with.
            return ExitCodes.Failed;
        }
        return ExitCodes.Failed;
    }
}
