using System.Text.RegularExpressions;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Contract;

/// <summary>The one place that knows how to find the problem codes that the agent can produce.</summary>
internal static partial class ProblemCodes
{
    public static IReadOnlySet<string> All { get; } = InSource().Concat(OfExits()).ToHashSet();

    private static IEnumerable<string> InSource() =>
        Directory.EnumerateFiles(RepositoryFiles.PathOf("src/RagAgent"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Made().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value);

    // These are chosen by a switch, which the expression below does not see.
    private static IEnumerable<string> OfExits() =>
        new[] { new ContainerExit(1, false, "", []), new ContainerExit(97, false, "", []), new ContainerExit(137, true, "", []) }
            .Select(exit => ContainerProblems.Exited(Sample.Container(), exit).Code);

    // Made as new Problem("code", …), as new("code", $"…"), or named as a constant.
    [GeneratedRegex("(?:new Problem\\(|new\\(|const string \\w+ =)\\s*\"([a-z]+(?:-[a-z]+)+|network|timeout|io|unexpected|registry)\"")]
    private static partial Regex Made();
}
