using RagAgent.Common;

namespace RagAgent.Diagnostics.Checks;

/// <param name="Outcome">How good or bad it is.</param>
/// <param name="What">One sentence: what was found.</param>
/// <param name="Remedy">What to do about it; null if nothing.</param>
/// <param name="Code">The problem's code, as in <c>docs/messages.md</c>; null if no problem is behind the result.</param>
internal sealed record CheckResult(CheckOutcome Outcome, string What, string? Remedy = null, string? Code = null)
{
    public static CheckResult Ok(string what) => new(CheckOutcome.Ok, what);

    public static CheckResult Skipped(string what) => new(CheckOutcome.Skipped, what);

    public static CheckResult Warning(string what, string remedy) => new(CheckOutcome.Warning, what, remedy);

    /// <summary>The problem's entry in the catalog; null when none is behind it.</summary>
    public ProblemKind? Kind => Code is null ? null : ProblemCatalog.Find(Code);

    /// <summary>As serious as the catalog says.</summary>
    public static CheckResult Of(Problem problem) => new(problem.Kind.Severity switch
    {
        ProblemSeverity.Info => CheckOutcome.Note,
        ProblemSeverity.Warning => CheckOutcome.Warning,
        _ => CheckOutcome.Failed,
    }, problem.What, problem.Remedy, problem.Code);
}
