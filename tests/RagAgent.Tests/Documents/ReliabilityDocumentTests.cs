using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class ReliabilityDocumentTests
{
    [Fact]
    public void Every_test_that_the_reliability_document_cites_exists()
    {
        var source = Directory.EnumerateFiles(RepositoryFiles.PathOf("tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(files => files.Key, files => string.Concat(files.Select(File.ReadAllText)));

        var cited = Name().Matches(RepositoryFiles.Read("docs/reliability.md"));

        Assert.NotEmpty(cited);
        Assert.Empty(cited.Where(test => !Exists(test.Groups[1].Value, test.Groups[2].Value)).Select(test => test.Value));

        bool Exists(string className, string method) =>
            source.TryGetValue(className, out var text) && text.Contains($" {method}(", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Name();
}
