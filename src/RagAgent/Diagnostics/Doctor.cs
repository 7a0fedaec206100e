namespace RagAgent.Diagnostics;

/// <summary>Runs all checks side by side.</summary>
internal sealed class Doctor(IEnumerable<ICheck> checks, TimeProvider time)
{
    private static readonly TimeSpan EachWithin = TimeSpan.FromSeconds(60);

    /// <summary>In the checks' order. What failed for the reason that an earlier one failed for is not told again.</summary>
    public async Task<IReadOnlyList<(string Name, CheckResult Result)>> ExamineAsync(CancellationToken stopping)
    {
        var found = await Task.WhenAll(checks.Select(async check => (check.Name, Result: await RunAsync(check, stopping))));
        var told = new List<(string Name, CheckResult Result)>();
        foreach (var (name, result) in found)
        {
            var cause = told.FirstOrDefault(earlier => earlier.Result.Finding == Finding.Failed && earlier.Result.Code == result.Code && earlier.Result.What == result.What);
            told.Add((name, result.Finding == Finding.Failed && cause.Name is not null ? CheckResult.Skipped($"Not known, for the reason that {cause.Name} has.") : result));
        }
        return told;
    }

    private async Task<CheckResult> RunAsync(ICheck check, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(EachWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
        try
        {
            return await check.RunAsync(either.Token);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            return CheckResult.Failed(Problems.From(e));
        }
    }
}
