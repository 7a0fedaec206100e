using System.CommandLine;
using System.CommandLine.Invocation;
using RagAgent.Diagnostics;

namespace RagAgent.Cli;

/// <summary>Carries out the command that was asked for, to its exit code.</summary>
internal static class Invocation
{
    /// <summary>What a command did not expect becomes a sentence here: nobody at a terminal is helped by a stack.</summary>
    public static async Task<int> RunAsync(ParseResult parsed)
    {
        using var termination = new Termination();
        try
        {
            var code = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, termination.Token);
            // The library says what is wrong and how the command is used, but ends with 1, which here means that something failed.
            return parsed.Action is ParseErrorAction ? ExitCodes.Usage : code;
        }
        catch (OperationCanceledException) when (termination.Token.IsCancellationRequested)
        {
            return ExitCodes.Failed;
        }
        catch (IOException e)
        {
            return await Output.NotWrittenAsync(e);
        }
        catch (Exception e)
        {
            var what = Problems.From(e).What;
            await Console.Error.WriteLineAsync($"ragagent: {what} This is a fault of ragagent: please report it.\n{e.StackTrace}");
            return ExitCodes.Failed;
        }
    }
}
