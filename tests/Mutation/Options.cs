namespace Mutation;

/// <param name="Repository">The root of the product's repository.</param>
/// <param name="Work">The directory of the copy and the results.</param>
/// <param name="Places">Folders and files to mutate, relative to the repository; one that begins with <c>-</c> is left out.</param>
/// <param name="Fast">Namespaces or classes of tests, separated by commas.</param>
/// <param name="Slow">The same for the simulation.</param>
/// <param name="Histories">Simulated for each mutant that the fast tests miss; 0: none.</param>
/// <param name="Workers">Processes that run the fast tests at the same time.</param>
/// <param name="Again">Mutants that lived in an earlier run are tried again.</param>
internal sealed record Options(
    string Repository,
    string Work,
    IReadOnlyList<string> Places,
    string Fast,
    string Slow,
    int Histories,
    int Workers,
    bool Again)
{
    public const string Usage =
        "Usage: dotnet run --project tests/Mutation -c Release -- " +
        "[--work DIR] [--fast TESTS] [--slow TESTS] [--histories N] [--workers N] [--again] PLACE...\n" +
        "\n" +
        "Changes each rule of the product a little, in many ways, and reports which changes no test notices. A PLACE is a folder or\n" +
        "a file to mutate; with a minus before it, it is left out. TESTS are namespaces or classes, separated by commas; " +
        "a minus leaves one out. An interrupted run is\n" +
        "continued by the same command; --again tries once more what lived, after tests were added.\n" +
        "\n" +
        "  tests/Mutation/run.sh is the usual run.";

    public string Survivors => Path.Combine(Repository, "tests/Mutation/survivors.tsv");

    public static Options? Parse(string[] args)
    {
        const string fast = "RagAgent.Tests.Supervision,RagAgent.Tests.Reporting", slow = "RagAgent.Tests.Simulation";
        var options = new Options(Directory.GetCurrentDirectory(), "", [], fast, slow, 200, Workers: 2, Again: false);
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var word))
        {
            options = word switch
            {
                "--work" => options with { Work = Path.GetFullPath(rest.Dequeue()) },
                "--fast" => options with { Fast = rest.Dequeue() },
                "--slow" => options with { Slow = rest.Dequeue() },
                "--histories" => options with { Histories = int.Parse(rest.Dequeue(), System.Globalization.CultureInfo.InvariantCulture) },
                "--workers" => options with { Workers = int.Parse(rest.Dequeue(), System.Globalization.CultureInfo.InvariantCulture) },
                "--again" => options with { Again = true },
                _ => options with { Places = [.. options.Places, word] },
            };
        }
        if (options.Places.Count == 0 || options.Work.Length == 0)
        {
            Console.Error.WriteLine(Usage);
            return null;
        }
        Directory.CreateDirectory(options.Work);
        return options;
    }

    public IReadOnlyList<string> Files()
    {
        var without = Places.Where(place => place.StartsWith('-')).SelectMany(place => Under(place[1..])).ToHashSet();
        return [.. Places.Where(place => !place.StartsWith('-')).SelectMany(Under).Where(file => !without.Contains(file)).Distinct().Order(StringComparer.Ordinal)];
    }

    private IEnumerable<string> Under(string place)
    {
        var path = Path.Combine(Repository, place);
        return File.Exists(path) ? [place]
            : Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Repository, file));
    }
}
