using System.Text.RegularExpressions;
using CsCheck;
using RagAgent.Tests.Simulation;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Documents;

/// <summary>Compares the life cycle diagrams of docs/architecture.md with the transitions of simulated lives.</summary>
[Collection(AllCoresCollection.Name)]
public sealed partial class LifeCycleDiagramTests
{
    private const int Lives = 2_500;

    // Always the same lives, and enough of them for all transitions.
    private static readonly Lazy<(HashSet<(string From, string To)> Front, HashSet<(string From, string To)> Candidate)> Simulated =
        new(Simulate);

    private static (HashSet<(string From, string To)> Front, HashSet<(string From, string To)> Candidate) Simulate()
    {
        HashSet<(string From, string To)> front = [];
        HashSet<(string From, string To)> candidate = [];
        var any = History.Any(maxSteps: 40);
        Parallel.For(0, Lives, life =>
        {
            var simulated = SimulatedLife.Run(any.Generate(new PCG((uint)life, 1), null, out _));
            lock (front)
            {
                front.UnionWith(simulated.FrontTransitions);
                candidate.UnionWith(simulated.CandidateTransitions);
            }
        });
        return (front, candidate);
    }

    [Theory]
    [InlineData("front")]
    [InlineData("candidate")]
    public void The_diagram_has_exactly_the_transitions_of_simulated_lives(string diagram)
    {
        var simulated = diagram == "front" ? Simulated.Value.Front : Simulated.Value.Candidate;
        var drawn = TransitionsOf(diagram).ToArray();

        var frequent = drawn.Where(transition => !transition.IsRare);
        Assert.Empty(simulated.Except(drawn.Select(transition => (transition.From, transition.To))));
        Assert.Empty(frequent.Select(transition => (transition.From, transition.To)).Except(simulated));
    }

    private static IEnumerable<(string From, string To, bool IsRare)> TransitionsOf(string diagram)
    {
        var text = RepositoryFiles.Read("docs/architecture.md");
        var start = text.IndexOf($"as {diagram} {{", StringComparison.Ordinal);
        return Arrow().Matches(text[start..text.IndexOf("```", start, StringComparison.Ordinal)])
            .Select(arrow => (arrow.Groups[1].Value, arrow.Groups[2].Value, arrow.Value.EndsWith("(rare)", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"^ *(\w+) --> (\w+).*$", RegexOptions.Multiline)]
    private static partial Regex Arrow();
}
