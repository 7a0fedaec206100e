using System.Text.RegularExpressions;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class OperationsTests
{
    [Fact]
    public void Every_problem_code_in_the_source_stands_in_the_operations_manual_and_no_other_does()
    {
        var root = Root();
        var source = Directory.EnumerateFiles(Path.Combine(root, "src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .ToArray();
        var manual = File.ReadAllText(Path.Combine(root, "docs/operations.md"));
        var table = manual[manual.IndexOf("## Problems by their code", StringComparison.Ordinal)..];

        var documented = CodeInTable().Matches(table).Select(m => m.Groups[1].Value).ToHashSet();
        var missing = source.SelectMany(text => Made().Matches(text)).Select(m => m.Groups[1].Value).Distinct().Except(documented);
        var dead = documented.Where(code => !source.Any(text => text.Contains($"\"{code}\"", StringComparison.Ordinal)));

        Assert.Empty(missing);
        Assert.Empty(dead);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "RagAgent.sln")))
        {
            folder = folder.Parent!;
        }
        return folder.FullName;
    }

    // Made as new Problem("code", …), as new("code", $"…"), or named as a constant.
    [GeneratedRegex("(?:new Problem\\(|new\\(|const string \\w+ =)\\s*\"([a-z]+(?:-[a-z]+)+|network|timeout|io|unexpected|registry)\"")]
    private static partial Regex Made();

    [GeneratedRegex("`([a-z]+(?:-[a-z]+)*)`(?=[^|]*\\|)")]
    private static partial Regex CodeInTable();
}
