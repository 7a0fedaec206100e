using System.CommandLine;
using System.CommandLine.Parsing;
using RagAgent.Configuration.Errors;

namespace RagAgent.Cli;

/// <summary>Explains invalid command lines: the wrong word, the probable intention, and where to find help.</summary>
internal static class UsageErrors
{
    /// <returns>Null: only the command is missing, which is answered with the help text.</returns>
    public static string? Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = CommandPath(parsed.CommandResult);
        // Words after an unknown one are only errors because of it.
        var what = parsed.UnmatchedTokens is [var word, ..]
            ? DescribeUnknown(word, command, path)
            : parsed.Errors.Select(error => error.Message).FirstOrDefault(_ => command.Subcommands.Count == 0);
        return what is null ? null : $"ragagent: {what}\nSee '{path} --help'.\n";
    }

    private static string DescribeUnknown(string word, Command command, string path) => word switch
    {
        ['-', ..] => $"Unknown option '{word}' of '{path}'.{DidYouMean(word, LongOptions(command))}",
        _ when command.Subcommands.Count > 0 =>
            $"Unknown command '{path} {word}'.{DidYouMean(word, command.Subcommands.Select(subcommand => subcommand.Name))}",
        _ => $"Unexpected argument '{word}' of '{path}'.",
    };

    private static IEnumerable<string> LongOptions(Command command) => command.Options
        .Where(option => !option.Hidden)
        .SelectMany(option => option.Aliases.Append(option.Name))
        .Where(name => name.StartsWith("--", StringComparison.Ordinal));

    private static string DidYouMean(string word, IEnumerable<string> candidates) =>
        Suggestion.Nearest(word, [.. candidates]) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    private static string CommandPath(SymbolResult result) =>
        result is CommandResult { Parent: { } parent, Command: var command } ? $"{CommandPath(parent)} {command.Name}" : "ragagent";
}
