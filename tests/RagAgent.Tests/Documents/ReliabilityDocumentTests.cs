using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>The tests that documents cite, as <c>ClassTests</c> or <c>ClassTests.Method</c>, exist.</summary>
public sealed partial class ReliabilityDocumentTests
{
    private static readonly Dictionary<string, string> Sources =
        Directory.EnumerateFiles(RepositoryFiles.PathOf("tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(files => files.Key, files => string.Concat(files.Select(File.ReadAllText)));

    [Fact]
    public void Every_test_that_the_reliability_document_cites_exists() => AssertCitedTestsExist("docs/reliability.md");

    [Fact]
    public void Every_test_that_the_list_of_contracts_cites_exists() => AssertCitedTestsExist("tests/RagAgent.Tests/Contract/README.md");

    private static void AssertCitedTestsExist(string document)
    {
        var cited = CitedTest().Matches(RepositoryFiles.Read(document));

        Assert.NotEmpty(cited);
        Assert.Empty(cited.Where(test => !Exists(test.Groups["class"].Value, test.Groups["method"].Value)).Select(test => test.Value));
    }

    private static bool Exists(string @class, string method) =>
        Sources.TryGetValue(@class, out var text) && (method == "" || text.Contains($" {method}(", StringComparison.Ordinal));

    [GeneratedRegex(@"`(\w+/)?(?<class>\w+Tests)(\.(?<method>\w+))?`")]
    private static partial Regex CitedTest();
}
