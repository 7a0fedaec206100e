namespace RagAgent.Common;

/// <summary>A failure in words for operators: the journal, <c>status</c>, <c>doctor</c> and the status page show the same text.</summary>
/// <param name="Kind">Its entry in the catalog, which says how the agent goes on.</param>
/// <param name="What">One sentence: what happened, to what. Never contains a secret. Untrusted text in it is sanitized here.</param>
/// <param name="Remedy">One sentence: what to do, or that the agent retries automatically.</param>
internal sealed record Problem(ProblemKind Kind, string What, string Remedy)
{
    // Long enough for AWS's longest error message; systemd accepts at most 4096 bytes of status text.
    private const int MaxLength = 1000;

    /// <summary>With the catalog's remedy.</summary>
    public Problem(ProblemKind kind, string what)
        : this(kind, what, kind.DefaultRemedy)
    {
    }

    /// <summary>A short stable name for scripts and tests, such as <c>ssm-parameter-missing</c>.</summary>
    public string Code => Kind.Code;

    public string What { get; init; } = UntrustedText.ToLine(What, MaxLength);

    public string Remedy { get; init; } = UntrustedText.ToLine(Remedy, MaxLength);

    /// <summary>How long the other side asked to wait before the next request; null if it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The engine did not answer at all, so it is unknown whether it did what it was asked.</summary>
    public bool IsUnanswered => Kind.Retry == ProblemRetry.AfterInspection;

    public override string ToString() => $"{What} {Remedy}";
}

/// <summary>Carries a <see cref="Problem"/> from where a foreign error was translated to where it becomes an event.</summary>
internal sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.ToString(), inner)
{
    public Problem Problem { get; } = problem;
}
