using System.Collections.Concurrent;
using System.Diagnostics;

namespace Mutation;

/// <summary>Tries every mutant that has no result yet: first with the fast tests, then, if it lived, with the simulation.</summary>
internal sealed class Campaign(Options options, string tests, Results results)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SlowPatience = TimeSpan.FromMinutes(4);

    public async Task RunAsync(IReadOnlyList<Mutant> mutants)
    {
        var open = new ConcurrentQueue<Mutant>(mutants.Where(mutant => results.Of(mutant) is not { } result || (options.Again && result.Outcome is Result.Alive or Result.Missed)));
        Console.Error.WriteLine($"{open.Count} to try.");
        await Task.WhenAll(Enumerable.Range(0, options.Workers).Select(_ => FastAsync(open)));
        var missed = mutants.Where(mutant => results.Of(mutant)?.Outcome == Result.Missed).ToList();
        Console.Error.WriteLine($"The fast tests missed {missed.Count}.");
        if (options.Histories > 0)
        {
            await SlowAsync(missed);
        }
    }

    private async Task FastAsync(ConcurrentQueue<Mutant> open)
    {
        using var hot = NewWorker();
        while (open.TryDequeue(out var mutant))
        {
            string? answer;
            if (mutant.NeedsNewProcess)
            {
                using var cold = NewWorker();
                answer = await cold.AskAsync($"all {mutant.Id}", Patience * 3, mutant.Id);
            }
            else
            {
                answer = await HotAsync(hot, mutant);
                if (answer?.StartsWith("unstable", StringComparison.Ordinal) == true)
                {
                    Console.Error.WriteLine($"{mutant.Key}: {answer}");
                    hot.Dispose();
                    answer = await HotAsync(hot, mutant);
                }
            }
            results.Add(mutant, answer?.Split(' ', 2) switch
            {
                null => new Result(Result.ByUnits, "(no answer in time)"),
                ["killed", var by] => new Result(Result.ByUnits, by),
                ["lived", _] => new Result(Result.Missed, ""),
                _ => throw new InvalidOperationException($"{mutant.Key}: {answer}"),
            });
            if (open.Count % 100 == 0)
            {
                Console.Error.WriteLine($"{open.Count} to go.");
            }
        }
    }

    private static async Task<string?> HotAsync(WorkerProcess hot, Mutant mutant)
    {
        await LearnAsync(hot);
        return await hot.AskAsync($"fast {mutant.Id} {mutant.Member}", Patience);
    }

    private static async Task LearnAsync(WorkerProcess worker)
    {
        if (worker.IsNew && await worker.AskAsync("learn", Patience * 6) is var learned && learned?.StartsWith("learned", StringComparison.Ordinal) != true)
        {
            throw new InvalidOperationException($"Without a mutant the tests must pass: {learned}");
        }
    }

    private async Task SlowAsync(List<Mutant> lived)
    {
        using var hot = NewWorker();
        var done = 0;
        foreach (var mutant in lived)
        {
            var began = Stopwatch.GetTimestamp();
            string? answer;
            if (mutant.NeedsNewProcess)
            {
                using var cold = NewWorker();
                answer = await cold.AskAsync($"slow {mutant.Id}", SlowPatience, mutant.Id);
            }
            else
            {
                await LearnAsync(hot);
                answer = await hot.AskAsync($"slow {mutant.Id}", SlowPatience);
            }
            results.Add(mutant, answer?.Split(' ', 2) switch
            {
                null => new Result(Result.BySimulation, "(no answer in time)"),
                ["killed", var by] => new Result(Result.BySimulation, by),
                _ => new Result(Result.Alive, ""),
            });
            done++;
            Console.Error.WriteLine($"{done} of {lived.Count}: {answer ?? "no answer"} after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s: {mutant.Key}");
        }
    }

    private WorkerProcess NewWorker() => new(tests, options.Fast, options.Slow, options.Histories);
}
