using System.Text.RegularExpressions;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class ReliabilityDocumentTests
{
    [Fact]
    public void Every_test_that_docs_reliability_names_is_there()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "RagAgent.sln")))
        {
            root = root.Parent!;
        }
        var source = Directory.EnumerateFiles(Path.Combine(root.FullName, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .GroupBy(file => Path.GetFileNameWithoutExtension(file))
            .ToDictionary(files => files.Key, files => string.Concat(files.Select(File.ReadAllText)));

        var named = Name().Matches(File.ReadAllText(Path.Combine(root.FullName, "docs/reliability.md")));

        Assert.NotEmpty(named);
        Assert.Empty(named.Where(test => !(source.TryGetValue(test.Groups[1].Value, out var text) && text.Contains($" {test.Groups[2].Value}(", StringComparison.Ordinal))).Select(test => test.Value));
    }

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Name();
}
