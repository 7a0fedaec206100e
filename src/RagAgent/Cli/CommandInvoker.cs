using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using RagAgent.Common;

namespace RagAgent.Cli;

/// <summary>Carries out the command that was asked for, to its exit code.</summary>
internal static class CommandInvoker
{
    /// <summary>What a command did not expect becomes a sentence here: nobody at a terminal is helped by a stack.</summary>
    public static async Task<int> RunAsync(ParseResult parsed)
    {
        using var signals = new SignalHandling();
        try
        {
            if (parsed.Action is ParseErrorAction && UsageErrors.Describe(parsed) is { } usageError)
            {
                await Console.Error.WriteAsync(usageError);
                return ExitCodes.Usage;
            }
            using var help = new StringWriter();
            var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
            if (parsed.Action is HelpAction or ParseErrorAction)
            {
                (configuration.Output, configuration.Error) = (help, TextWriter.Null);
            }
            var code = await parsed.InvokeAsync(configuration, signals.Token);
            await Console.Out.WriteAsync(MarkOptionalArguments(help.ToString(), parsed.CommandResult.Command));
            // The library ends with 1, which here means that something failed.
            return parsed.Action is ParseErrorAction ? ExitCodes.Usage : code;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return ExitCodes.Failed;
        }
        catch (IOException exception)
        {
            return await StandardOutput.ReportWriteFailureAsync(exception);
        }
        catch (Exception exception)
        {
            var what = ExceptionMapping.ToProblem(exception).What;
            await Console.Error.WriteLineAsync($"ragagent: {what} This is a fault of ragagent: please report it.\n{exception.StackTrace}");
            return ExitCodes.Failed;
        }
    }

    /// <summary>In a list of commands the library shows each argument as if it had to be given.</summary>
    private static string MarkOptionalArguments(string help, Command command)
    {
        foreach (var (sub, argument) in command.Subcommands.SelectMany(sub => sub.Arguments.Where(argument => argument.HasDefaultValue).Select(argument => (sub, argument))))
        {
            help = help.Replace($"{sub.Name} <{argument.Name}>", $"{sub.Name} [{argument.Name}]", StringComparison.Ordinal);
        }
        return help;
    }
}
