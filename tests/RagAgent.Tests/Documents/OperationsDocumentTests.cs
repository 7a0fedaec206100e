using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class OperationsDocumentTests
{
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
        Assert.Equal(documented.Where(row => row.Value == "doesn't restart it").Select(row => row.Key), prevents);
    }

    [GeneratedRegex(@"^\| (\d+) \|[^|]*\| ?([^|]*?) ?\|$", RegexOptions.Multiline)]
    private static partial Regex ExitCodeInTable();
}
