namespace RagAgent.Common;

/// <summary>A failure in an operator's words. The same text stands in the journal, in <c>status</c> and on the front door.</summary>
/// <param name="Code">A short stable name for scripts and tests, such as <c>ssm-parameter-missing</c>.</param>
/// <param name="What">One sentence: what happened, to what. Never holds a secret. The words of others in it are made harmless here.</param>
/// <param name="Remedy">One sentence: what to do, or that the agent tries again by itself.</param>
internal sealed record Problem(string Code, string What, string Remedy)
{
    // Long enough for AWS's longest refusal; systemd takes no more than 4096 bytes of a status.
    private const int MaxLength = 1000;

    public string What { get; init; } = UntrustedText.ToLine(What, MaxLength);

    public string Remedy { get; init; } = UntrustedText.ToLine(Remedy, MaxLength);

    /// <summary>The other side asked not to be asked again before this has passed; null: it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The engine gave no answer at all, so whether it did what it was asked is not known.</summary>
    public bool IsUnanswered => Code is ProblemCodes.EngineUnreachable or ProblemCodes.EngineSilent;

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
    /// <summary>The engine is not there: what it ran may have ended with it.</summary>
    public const string EngineUnreachable = "engine-unreachable";

    /// <summary>The engine is there and takes too long: what it runs goes on meanwhile.</summary>
    public const string EngineSilent = "engine-silent";

    /// <summary>The engine has no image of the digest any more: it must be pulled again.</summary>
    public const string ImageMissing = "image-missing";

    /// <summary>The image is on disk but can't be used: a layer of it is broken.</summary>
    public const string ImageCorrupt = "image-corrupt";

    /// <summary>The registry has nothing under this tag or digest.</summary>
    public const string TagMissing = "registry-tag-missing";

    /// <summary>What is to be written does not fit: old images are removed before the next try.</summary>
    public const string DiskFull = "disk-full";
}
