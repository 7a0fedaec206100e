using System.Globalization;

namespace Mutation;

/// <summary>Mutants that no test can or should notice, with the reason.</summary>
internal static class Accepted
{
    public static Dictionary<string, string> Read(string path) => (File.Exists(path) ? File.ReadAllLines(path) : [])
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')).ToDictionary(parts => parts[0], parts => parts[1]);
}

internal static class Report
{
    public static void Write(IReadOnlyList<Mutant> mutants, Results results, Dictionary<string, string> accepted)
    {
        Console.WriteLine($"{"file",-24} {"mutants",7} {"units",6} {"simul.",6} {"lived",6} {"score",7}");
        foreach (var file in mutants.GroupBy(mutant => mutant.File).Append<IEnumerable<Mutant>>(mutants))
        {
            var name = file is IGrouping<string, Mutant> group ? group.Key : "all";
            var all = file.Select(results.Of).Where(result => result is not null).ToList();
            var lived = all.Count(result => result!.Outcome is Result.Alive or Result.Missed);
            var score = all.Count == 0 ? 0 : 100.0 * (all.Count - lived) / all.Count;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name,-24} {all.Count,7} {all.Count(r => r!.Outcome == Result.ByUnits),6} {all.Count(r => r!.Outcome == Result.BySimulation),6} {lived,6} {score,6:0.0}%"));
        }
        var survivors = mutants.Where(mutant => results.Of(mutant)?.Outcome is Result.Alive or Result.Missed).ToList();
        Console.WriteLine();
        foreach (var mutant in survivors.OrderBy(mutant => accepted.ContainsKey(mutant.Key)))
        {
            Console.WriteLine($"{mutant.File}:{mutant.Line} [{mutant.Kind}] {mutant.Key}{(accepted.TryGetValue(mutant.Key, out var reason) ? $"  ({reason})" : "")}");
        }
        foreach (var key in accepted.Keys.Except(survivors.Select(mutant => mutant.Key)))
        {
            Console.WriteLine($"Listed as a survivor, and is none any more: {key}");
        }
    }
}
