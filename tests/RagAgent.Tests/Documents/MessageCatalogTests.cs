using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Diagnostics.Logging;
using RagAgent.Tests.Contract;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>docs/messages.md explains each log message and problem. The journal's catalog is generated from it.</summary>
public sealed partial class MessageCatalogTests
{
    private static readonly string[] Sources =
    [
        .. Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText),
    ];

    private static readonly string Text = File.ReadAllText(RepositoryFiles.PathOf("docs/messages.md"));
    private static readonly Match[] Entries = [.. Entry().Matches(Text).Cast<Match>()];

    [Fact]
    public void Every_log_message_and_problem_is_explained_exactly_once()
    {
        var events = LogEvent.All.Where(log => log.Level != LogLevel.Debug && !log.HasProblem).Select(log => log.JournalName).ToArray();
        var problems = ProblemCodes.All;
        var explained = Entries.Select(entry => entry.Groups["name"].Value).ToArray();

        Assert.Empty(explained.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(events.Concat(problems).Except(explained));
        Assert.All(explained.Except(events), name => Assert.Contains(Sources, text => text.Contains($"\"{name}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_summary_of_each_problem_is_the_subject_of_its_entry()
    {
        var subjects = Entries.ToDictionary(entry => entry.Groups["name"].Value, entry => entry.Groups["subject"].Value.Replace("`", ""));

        Assert.Equal(
            ProblemCatalog.All.Select(kind => (kind.Code, subjects[kind.Code])),
            ProblemCatalog.All.Select(kind => (kind.Code, kind.Summary)));
    }

    [Fact]
    public void Every_log_message_has_a_unique_ID() =>
        Assert.Empty(LogEvent.All.GroupBy(log => log.Id)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(log => log.Name))}"));

    [Fact]
    public void Every_explanation_has_a_short_subject_and_a_longer_text()
    {
        Assert.All(Entries, entry =>
        {
            Assert.InRange(entry.Groups["subject"].Value.Length, 5, 60);
            Assert.False(entry.Groups["subject"].Value.EndsWith('.'), entry.Groups["subject"].Value);
            Assert.InRange(entry.Groups["text"].Value.Trim().Length, 40, 2000);
        });
    }

    [Fact]
    public async Task The_catalog_has_paragraphs_of_at_most_100_columns_and_unbroken_commands()
    {
        var catalog = await CatalogAsync();
        var lines = catalog.Split('\n');
        var commands = Text.Split('\n').Where(IsCommand).ToArray();

        Assert.All(lines.Where(line => !IsCommand(line)), line => Assert.InRange(line.Length, 0, 100));
        Assert.All(lines.Where(line => !IsCommand(line)), line => Assert.True(line.Count(character => character == '`') % 2 == 0, line));
        Assert.All(commands, line => Assert.InRange(line.Length, 0, 120));
        Assert.Equal(commands, lines.Where(IsCommand));

        static bool IsCommand(string line) => line.StartsWith("    ", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_catalog_has_each_explanation_under_the_message_ID_of_the_agent()
    {
        var catalog = await CatalogAsync();

        Assert.Equal(
            Entries.Select(entry => (MessageId.For(entry.Groups["name"].Value), entry.Groups["subject"].Value)),
            InCatalog().Matches(catalog).Select(entry => (entry.Groups[1].Value, entry.Groups[2].Value)));
        Assert.Equal(Regex.Count(catalog, "^-- ", RegexOptions.Multiline), Entries.Length);
    }

    private static async Task<string> CatalogAsync()
    {
        using var script = Process.Start(new ProcessStartInfo(RepositoryFiles.PathOf("packaging/catalog.sh")) { RedirectStandardOutput = true })!;
        var catalog = await script.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await script.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, script.ExitCode);
        return catalog;
    }

    [GeneratedRegex(@"^### `(?<name>[a-z0-9-]+)`\n(?<subject>[^\n]+)\n\n(?<text>.+?)(?=\n#|\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Entry();

    [GeneratedRegex("^-- ([0-9a-f]{32})\nSubject: (.+)$", RegexOptions.Multiline)]
    private static partial Regex InCatalog();
}
