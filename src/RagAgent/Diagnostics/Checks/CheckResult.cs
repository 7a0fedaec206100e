using RagAgent.Common;

namespace RagAgent.Diagnostics.Checks;

/// <summary>How a check came out; the later, the worse.</summary>
internal enum CheckOutcome
{
    Ok,

    /// <summary>It does not apply here.</summary>
    Skipped,

    /// <summary>It is as it was asked for, and the operator should have asked knowingly. No reason for an exit code.</summary>
    Note,

    /// <summary>It works, and should be otherwise.</summary>
    Warning,

    /// <summary>It keeps the app from serving, or from being updated, or will at the next boot.</summary>
    Failed,
}

/// <param name="Outcome">How it came out.</param>
/// <param name="What">One sentence: what was found.</param>
/// <param name="Remedy">What mends it; null when there is nothing to mend.</param>
/// <param name="Code">The problem's, as in <c>docs/messages.md</c>; null when none is behind it.</param>
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

    public static CheckResult Failed(Problem problem) => new(CheckOutcome.Failed, problem.What, problem.Remedy, problem.Code);
}

/// <summary>One thing that must be right for the app to come up. Changes nothing.</summary>
internal interface ICheck
{
    /// <summary>One word.</summary>
    string Name { get; }

    /// <exception cref="ProblemException">It is not right.</exception>
    Task<CheckResult> RunAsync(CancellationToken stopping);
}
