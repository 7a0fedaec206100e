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
            var cause = reported.FirstOrDefault(earlier => HasSameCause(earlier.Result, result));
            reported.Add((name, cause.Name is null ? result : CheckResult.Skipped($"Not known, for the reason that {cause.Name} has.")));
        }
        return reported;
    }

    /// <summary>Both found the very same problem, or needed something that is down.</summary>
    private static bool HasSameCause(CheckResult earlier, CheckResult later) =>
        earlier.Outcome == CheckOutcome.Failed && later.Outcome == CheckOutcome.Failed &&
        (earlier == later || (earlier.Kind is { } cause && later.Kind?.IsSameOutageAs(cause) == true));

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
            return CheckResult.Of(ExceptionMapping.ToProblem(exception));
        }
    }
}
