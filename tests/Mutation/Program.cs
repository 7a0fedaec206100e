using System.Diagnostics;
using System.Globalization;
using Mutation;

// See --help.
var options = Options.Parse(args);
if (options is null)
{
    return 64;
}
var began = Stopwatch.GetTimestamp();
var copy = new Copy(options.Repository, options.Work);
var mutants = copy.Build(options.Files());
var results = new Results(Path.Combine(options.Work, "results.tsv"));
var accepted = Accepted.Read(options.Survivors);
Console.Error.WriteLine($"{mutants.Count} mutants after {Stopwatch.GetElapsedTime(began):hh\\:mm\\:ss}.");
await new Campaign(options, copy.Tests, results).RunAsync(mutants);
Report.Write(mutants, results, accepted);
Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Took {Stopwatch.GetElapsedTime(began):hh\\:mm\\:ss}."));
return 0;
