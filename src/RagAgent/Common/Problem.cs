namespace RagAgent.Common;

/// <summary>A failure in an operator's words. The same text stands in the journal, in <c>status</c> and on the front door.</summary>
/// <param name="Kind">Its entry in the catalog.</param>
/// <param name="What">One sentence: what happened, to what. Never holds a secret. The words of others in it are made harmless here.</param>
/// <param name="Remedy">One sentence: what to do, or that the agent tries again by itself.</param>
internal sealed record Problem(ProblemKind Kind, string What, string Remedy)
{
    // Long enough for AWS's longest refusal; systemd takes no more than 4096 bytes of a status.
    private const int MaxLength = 1000;

    /// <summary>A short stable name for scripts and tests, such as <c>ssm-parameter-missing</c>.</summary>
    public string Code => Kind.Code;

    public string What { get; init; } = UntrustedText.ToLine(What, MaxLength);

    public string Remedy { get; init; } = UntrustedText.ToLine(Remedy, MaxLength);

    /// <summary>The other side asked not to be asked again before this has passed; null: it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The engine gave no answer at all, so whether it did what it was asked is not known.</summary>
    public bool IsUnanswered => Kind == ProblemCatalog.EngineUnreachable || Kind == ProblemCatalog.EngineSilent;

    public override string ToString() => $"{What} {Remedy}";
}

/// <summary>Carries a <see cref="Problem"/> from where an outside error was translated to where it becomes an event.</summary>
internal sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.ToString(), inner)
{
    public Problem Problem { get; } = problem;
}
