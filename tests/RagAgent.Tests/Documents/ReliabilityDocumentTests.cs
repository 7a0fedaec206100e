using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class ReliabilityDocumentTests
{
    [Fact]
    public void Every_test_that_docs_reliability_names_is_there()
    {
        var source = Directory.EnumerateFiles(RepositoryFiles.PathOf("tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(files => files.Key, files => string.Concat(files.Select(File.ReadAllText)));

        var named = Name().Matches(RepositoryFiles.Read("docs/reliability.md"));

        Assert.NotEmpty(named);
        Assert.Empty(named.Where(test => !(source.TryGetValue(test.Groups[1].Value, out var text) && text.Contains($" {test.Groups[2].Value}(", StringComparison.Ordinal))).Select(test => test.Value));
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Name();
}
