using RagAgent.Common;

namespace RagAgent.Diagnostics.Checks;

/// <summary>Runs all checks side by side.</summary>
internal sealed class Doctor(IEnumerable<ICheck> checks, TimeProvider time)
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(60);

    /// <summary>In the checks' order. What failed for the reason that an earlier one failed for is not told again.</summary>
    public async Task<IReadOnlyList<(string Name, CheckResult Result)>> RunAllAsync(CancellationToken stopping)
    {
        var results = await Task.WhenAll(checks.Select(async check => (check.Name, Result: await RunCheckAsync(check, stopping))));
        var reported = new List<(string Name, CheckResult Result)>();
        foreach (var (name, result) in results)
        {
            var cause = reported.FirstOrDefault(earlier => earlier.Result.Outcome == CheckOutcome.Failed && earlier.Result.Code == result.Code && earlier.Result.What == result.What);
            reported.Add((name, result.Outcome == CheckOutcome.Failed && cause.Name is not null ? CheckResult.Skipped($"Not known, for the reason that {cause.Name} has.") : result));
        }
        return reported;
    }

    private async Task<CheckResult> RunCheckAsync(ICheck check, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(CheckTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            return await check.RunAsync(linked.Token);
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            return CheckResult.Failed(ExceptionMapping.ToProblem(exception));
        }
    }
}
