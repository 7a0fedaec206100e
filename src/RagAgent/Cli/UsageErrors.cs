using System.CommandLine;
using System.CommandLine.Parsing;
using RagAgent.Configuration.Errors;

namespace RagAgent.Cli;

/// <summary>A command line that is not understood: which word, what was probably meant, and where the help is.</summary>
internal static class UsageErrors
{
    /// <returns>Null: nothing is wrong but that a command is missing, and the whole help is the answer.</returns>
    public static string? Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = CommandPath(parsed.CommandResult);
        // What follows a word that is not known is not understood only because of it.
        var what = parsed.UnmatchedTokens is [var word, ..] ? DescribeUnknown(word, command, path)
            : parsed.Errors.Select(error => error.Message).FirstOrDefault(_ => command.Subcommands.Count == 0);
        return what is null ? null : $"ragagent: {what}\nSee '{path} --help'.\n";
    }

    private static string DescribeUnknown(string word, Command command, string path) => word switch
    {
        ['-', ..] => $"There is no option '{word}' of '{path}'.{DidYouMean(word, command.Options.Where(option => !option.Hidden).SelectMany(option => option.Aliases.Append(option.Name)).Where(name => name.StartsWith("--", StringComparison.Ordinal)))}",
        _ when command.Subcommands.Count > 0 => $"There is no command '{path} {word}'.{DidYouMean(word, command.Subcommands.Select(sub => sub.Name))}",
        _ => $"'{word}' is more than '{path}' takes.",
    };

    private static string DidYouMean(string word, IEnumerable<string> candidates) => Suggestion.Nearest(word, [.. candidates]) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    private static string CommandPath(SymbolResult at) => at is CommandResult { Parent: { } parent, Command: var command } ? $"{CommandPath(parent)} {command.Name}" : "ragagent";
}
