using System.Text.RegularExpressions;
using CsCheck;
using RagAgent.Tests.Simulation;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>The diagrams of the life cycle in docs/architecture.md are held against what simulated lives go through.</summary>
[Collection(AllCoresCollection.Name)]
public sealed partial class LifeCycleDiagramTests
{
    private const int Lives = 2_500;

    // The same lives each time, and enough of them to go all ways.
    private static readonly Lazy<(HashSet<(string From, string To)> Front, HashSet<(string From, string To)> Candidate)> Gone = new(() =>
    {
        HashSet<(string From, string To)> front = [], candidate = [];
        var any = History.Any(maxSteps: 40);
        Parallel.For(0, Lives, life =>
        {
            var lived = SimulatedLife.Run(any.Generate(new PCG((uint)life, 1), null, out _));
            lock (front)
            {
                front.UnionWith(lived.FrontTransitions);
                candidate.UnionWith(lived.CandidateTransitions);
            }
        });
        return (front, candidate);
    });

    [Theory]
    [InlineData("front")]
    [InlineData("candidate")]
    public void Every_way_that_is_gone_is_drawn_and_every_one_that_is_drawn_is_gone(string place)
    {
        var gone = place == "front" ? Gone.Value.Front : Gone.Value.Candidate;

        Assert.Empty(gone.Except(Drawn(place).Select(way => (way.From, way.To))));
        Assert.Empty(Drawn(place).Where(way => !way.IsRare).Select(way => (way.From, way.To)).Except(gone));
    }

    private static IEnumerable<(string From, string To, bool IsRare)> Drawn(string place)
    {
        var text = RepositoryFiles.Read("docs/architecture.md");
        var from = text.IndexOf($"as {place} {{", StringComparison.Ordinal);
        return Arrow().Matches(text[from..text.IndexOf("```", from, StringComparison.Ordinal)]).Select(arrow => (arrow.Groups[1].Value, arrow.Groups[2].Value, arrow.Value.EndsWith("(rare)", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"^ *(\w+) --> (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
