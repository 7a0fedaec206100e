using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Tests.Contract;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class OperationsDocumentTests
{
    [Fact]
    public void The_operations_manual_lists_exactly_the_problem_codes_of_the_agent()
    {
        var source = Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .ToArray();
        var manual = RepositoryFiles.Read("docs/operations.md");
        var table = manual[manual.IndexOf("## Problems by their code", StringComparison.Ordinal)..];

        var documented = CodeInTable().Matches(table).Select(match => match.Groups[1].Value).ToHashSet();
        var missing = ProblemCodes.All.Except(documented);
        var obsolete = documented.Where(code => !source.Any(text => text.Contains($"\"{code}\"", StringComparison.Ordinal)));

        Assert.Empty(missing);
        Assert.Empty(obsolete);
    }

    [Fact]
    public void The_operations_manual_lists_the_exit_codes_and_the_unit_acts_on_them()
    {
        var manual = RepositoryFiles.Read("docs/operations.md");
        var start = manual.IndexOf("## Exit codes of", StringComparison.Ordinal);
        var section = manual[start..manual.IndexOf("## Signals", StringComparison.Ordinal)];
        var documented = ExitCodeInTable().Matches(section)
            .ToDictionary(row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), row => row.Groups[2].Value);
        var unit = File.ReadAllLines(RepositoryFiles.PathOf("packaging/ragagent.service"));
        var setting = Assert.Single(unit, line => line.StartsWith("RestartPreventExitStatus=", StringComparison.Ordinal));
        var prevents = setting.Split('=')[1].Split(' ').Select(int.Parse);

        Assert.Equal(
            [ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.AlreadyRunning, ExitCodes.BadConfiguration],
            documented.Keys);
        Assert.Equal(documented.Where(row => row.Value == "does not start it again").Select(row => row.Key), prevents);
    }

    [GeneratedRegex(@"^\| (\d+) \|[^|]*\| ?([^|]*?) ?\|$", RegexOptions.Multiline)]
    private static partial Regex ExitCodeInTable();

    [GeneratedRegex("`([a-z][a-z0-9]*(?:-[a-z0-9]+)*)`(?=[^|]*\\|)")]
    private static partial Regex CodeInTable();
}
