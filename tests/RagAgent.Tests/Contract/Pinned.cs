using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Contract;

/// <summary>Compares names that users and their programs rely on with a committed list.</summary>
internal static class Pinned
{
    private const string Folder = "tests/RagAgent.Tests/Contract";

    public static void Matches(string file, IEnumerable<string> actual)
    {
        var path = $"{Folder}/{file}";
        var pinned = RepositoryFiles.Read(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var found = actual.Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(pinned.Order(StringComparer.Ordinal), pinned);

        var (missing, added) = (pinned.Except(found).ToArray(), found.Except(pinned).ToArray());
        Assert.True(missing.Length + added.Length == 0, $"""

            {path} is a contract: users and their programs rely on each of its lines.
            Missing or changed. Restore them; code may be renamed, these may not:
            {Lines('-', missing)}
            New. Add each to the file if it is meant to stay forever:
            {Lines('+', added)}
            """);
    }

    public static void MatchesText(string file, string actual)
    {
        var path = $"{Folder}/{file}";
        var pinned = RepositoryFiles.Read(path);
        Assert.True(pinned == actual, $"""

            {path} is a contract, byte for byte. The actual text differs:
            {Lines('-', pinned.Split('\n').Except(actual.Split('\n')))}
            {Lines('+', actual.Split('\n').Except(pinned.Split('\n')))}
            """);
    }

    private static string Lines(char sign, IEnumerable<string> lines) =>
        string.Join('\n', lines.Select(line => $"  {sign} {line}").DefaultIfEmpty("  none"));
}
