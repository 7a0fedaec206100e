using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Tests.Contract;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class OperationsDocumentTests
{
    [Fact]
    public void Every_problem_code_in_the_source_stands_in_the_operations_manual_and_no_other_does()
    {
        var source = Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .ToArray();
        var manual = RepositoryFiles.Read("docs/operations.md");
        var table = manual[manual.IndexOf("## Problems by their code", StringComparison.Ordinal)..];

        var documented = CodeInTable().Matches(table).Select(m => m.Groups[1].Value).ToHashSet();
        var missing = ProblemCodes.All.Except(documented);
        var dead = documented.Where(code => !source.Any(text => text.Contains($"\"{code}\"", StringComparison.Ordinal)));

        Assert.Empty(missing);
        Assert.Empty(dead);
    }

    [Fact]
    public void Every_exit_code_of_the_service_stands_in_the_manual_and_systemd_does_as_it_says()
    {
        var manual = RepositoryFiles.Read("docs/operations.md");
        var rows = ExitCodeInTable().Matches(manual[manual.IndexOf("## Exit codes of", StringComparison.Ordinal)..manual.IndexOf("## Signals", StringComparison.Ordinal)]);
        var documented = rows.ToDictionary(row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), row => row.Groups[2].Value);
        var unit = File.ReadAllLines(RepositoryFiles.PathOf("packaging/ragagent.service"));
        var prevents = Assert.Single(unit, line => line.StartsWith("RestartPreventExitStatus=", StringComparison.Ordinal)).Split('=')[1].Split(' ').Select(int.Parse);

        Assert.Equal([ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.AlreadyRunning, ExitCodes.BadConfiguration], documented.Keys);
        Assert.Equal(documented.Where(row => row.Value == "does not start it again").Select(row => row.Key), prevents);
    }

    [GeneratedRegex(@"^\| (\d+) \|[^|]*\| ?([^|]*?) ?\|$", RegexOptions.Multiline)]
    private static partial Regex ExitCodeInTable();

    [GeneratedRegex("`([a-z]+(?:-[a-z]+)*)`(?=[^|]*\\|)")]
    private static partial Regex CodeInTable();
}
