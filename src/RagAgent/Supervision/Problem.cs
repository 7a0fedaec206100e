namespace RagAgent.Supervision;

/// <summary>A failure in an operator's words. The same text stands in the journal, in <c>status</c> and on the front door.</summary>
/// <param name="Code">A short stable name for scripts and tests, such as <c>ssm-parameter-not-found</c>.</param>
/// <param name="What">One sentence: what happened, to what. Never holds a secret.</param>
/// <param name="Remedy">One sentence: what to do, or that the agent tries again by itself.</param>
internal sealed record Problem(string Code, string What, string Remedy)
{
    public override string ToString() => $"{What} {Remedy}";
}

/// <summary>Carries a <see cref="Problem"/> from where an outside error was translated to where it becomes an event.</summary>
internal sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.ToString(), inner)
{
    public Problem Problem { get; } = problem;
}

/// <summary>The codes that the supervision itself acts on; all others only inform.</summary>
internal static class ProblemCodes
{
    /// <summary>The engine does not answer: nothing is said about the container by it.</summary>
    public const string EngineUnreachable = "engine-unreachable";

    /// <summary>The engine has no image of the digest any more: it must be pulled again.</summary>
    public const string ImageMissing = "image-missing";
}
