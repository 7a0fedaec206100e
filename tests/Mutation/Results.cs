namespace Mutation;

/// <summary>What became of each mutant, in a file that a later run continues.</summary>
internal sealed class Results(string path)
{
    private readonly Dictionary<string, Result> _all = Read(path);

    public Result? Of(Mutant mutant) => _all.GetValueOrDefault(mutant.Key);

    public void Add(Mutant mutant, Result result)
    {
        lock (_all)
        {
            _all[mutant.Key] = result;
            File.AppendAllText(path, $"{mutant.Key}\t{result.Outcome}\t{result.By}\n");
        }
    }

    private static Dictionary<string, Result> Read(string path)
    {
        var all = new Dictionary<string, Result>();
        foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
        {
            if (line.Split('\t') is [var key, var outcome, var by])
            {
                all[key] = new Result(outcome, by);
            }
        }
        return all;
    }
}

/// <param name="Outcome"><c>units</c> or <c>simulation</c> noticed it, it is <c>missed</c> by the units and was not simulated yet, or it <c>lived</c>.</param>
/// <param name="By">The test.</param>
internal sealed record Result(string Outcome, string By)
{
    public const string ByUnits = "units";
    public const string BySimulation = "simulation";
    public const string Missed = "missed";
    public const string Alive = "lived";
}
