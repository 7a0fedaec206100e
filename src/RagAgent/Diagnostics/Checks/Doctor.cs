using RagAgent.Common;

namespace RagAgent.Diagnostics.Checks;

/// <summary>Runs all checks concurrently.</summary>
internal sealed class Doctor(IEnumerable<ICheck> checks, TimeProvider time)
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A check that failed for the same reason as an earlier one is reported as skipped.</summary>
    /// <returns>The results in the order of the checks.</returns>
    public async Task<IReadOnlyList<(string Name, CheckResult Result)>> RunAllAsync(CancellationToken stopping)
    {
        var results = await Task.WhenAll(checks.Select(async check => (check.Name, Result: await RunCheckAsync(check, stopping))));
        var reported = new List<(string Name, CheckResult Result)>();
        foreach (var (name, result) in results)
        {
            var cause = reported.FirstOrDefault(earlier => HasSameCause(earlier.Result, result)).Name;
            reported.Add((name, cause is null ? result : CheckResult.Skipped($"Not checked, for the same reason as {cause}.")));
        }
        return reported;
    }

    /// <summary>Both found the very same problem, or needed something that is down.</summary>
    private static bool HasSameCause(CheckResult earlier, CheckResult later) =>
        earlier.Outcome == CheckOutcome.Failed && later.Outcome == CheckOutcome.Failed &&
        (earlier == later || (earlier.Kind is { } cause && later.Kind?.IsSameOutageAs(cause) == true));

    private async Task<CheckResult> RunCheckAsync(ICheck check, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(CheckTimeout, time, stopping);
        try
        {
            return await check.RunAsync(timeout.Token);
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            return CheckResult.Of(ExceptionMapping.ToProblem(exception));
        }
    }
}
