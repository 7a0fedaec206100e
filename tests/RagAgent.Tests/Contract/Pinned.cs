using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Contract;

/// <summary>A committed list of names that users and their programs rely on.</summary>
internal static class Pinned
{
    private const string Folder = "tests/RagAgent.Tests/Contract";

    public static void Matches(string file, IEnumerable<string> actual)
    {
        var path = $"{Folder}/{file}";
        var pinned = RepositoryFiles.Read(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var found = actual.Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(pinned.Order(StringComparer.Ordinal), pinned);

        var (gone, added) = (pinned.Except(found).ToArray(), found.Except(pinned).ToArray());
        Assert.True(gone.Length + added.Length == 0, $"""

            {path} is a contract: users and their programs rely on each of its lines.
            Gone or changed. Restore them; code may be renamed, these may not:
            {Lines('-', gone)}
            New. Add each to the file if it is really meant to stay for good:
            {Lines('+', added)}
            """);
    }

    public static void MatchesText(string file, string actual)
    {
        var path = $"{Folder}/{file}";
        var pinned = RepositoryFiles.Read(path);
        Assert.True(pinned == actual, $"""

            {path} is a contract, byte for byte. What is produced now differs:
            {Lines('-', pinned.Split('\n').Except(actual.Split('\n')))}
            {Lines('+', actual.Split('\n').Except(pinned.Split('\n')))}
            """);
    }

    private static string Lines(char sign, IEnumerable<string> lines) =>
        string.Join('\n', lines.Select(line => $"  {sign} {line}").DefaultIfEmpty("  none"));
}
