using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using RagAgent.Common;

namespace RagAgent.Cli;

/// <summary>Runs the parsed command.</summary>
internal static class CommandInvoker
{
    /// <summary>Runs the command. An exception that it did not expect becomes a message.</summary>
    /// <returns>The exit code.</returns>
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
            // The library returns 1, which is ExitCodes.Failed here.
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
            await Console.Error.WriteLineAsync($"ragagent: {what} This is a bug in ragagent. Please report it.\n{exception.StackTrace}");
            return ExitCodes.Failed;
        }
    }

    /// <summary>In the list of commands, the library shows every argument as required.</summary>
    private static string MarkOptionalArguments(string help, Command command)
    {
        foreach (var subcommand in command.Subcommands)
        {
            foreach (var argument in subcommand.Arguments.Where(argument => argument.HasDefaultValue))
            {
                var required = $"{subcommand.Name} <{argument.Name}>";
                help = help.Replace(required, $"{subcommand.Name} [{argument.Name}]", StringComparison.Ordinal);
            }
        }
        return help;
    }
}
