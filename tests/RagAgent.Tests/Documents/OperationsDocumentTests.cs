using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

public sealed partial class OperationsDocumentTests
{
    [Fact]
    public void Every_exit_code_of_the_service_stands_in_the_manual_and_systemd_does_as_it_says()
    {
        var manual = RepositoryFiles.Read("docs/operations.md");
        var section = manual[manual.IndexOf("## Exit codes of", StringComparison.Ordinal)..manual.IndexOf("## Signals", StringComparison.Ordinal)];
        var rows = ExitCodeInTable().Matches(section);
        var documented = rows.ToDictionary(
            row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture), row => row.Groups[2].Value);
        var unit = File.ReadAllLines(RepositoryFiles.PathOf("packaging/ragagent.service"));
        var setting = Assert.Single(unit, line => line.StartsWith("RestartPreventExitStatus=", StringComparison.Ordinal));
        var prevents = setting.Split('=')[1].Split(' ').Select(int.Parse);

        Assert.Equal(
            [ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.AlreadyRunning, ExitCodes.BadConfiguration], documented.Keys);
        Assert.Equal(documented.Where(row => row.Value == "doesn't restart it").Select(row => row.Key), prevents);
    }

    [GeneratedRegex(@"^\| (\d+) \|[^|]*\| ?([^|]*?) ?\|$", RegexOptions.Multiline)]
    private static partial Regex ExitCodeInTable();
}
